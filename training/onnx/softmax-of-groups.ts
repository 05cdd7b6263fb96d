/** Nodes that turn logits of several questions, one group after the other, into probabilities that add up to 1 in each group. */

import type { Node, TensorConstant } from "./model.ts";

/** From ["batch", sum of sizes] to the same shape. */
export function softmaxOfGroups(
  input: string,
  output: string,
  sizes: readonly number[],
): { readonly nodes: readonly Node[]; readonly constants: readonly TensorConstant[] } {
  const logits = sizes.map((_, group) => `logits_${group}`);
  const shares = sizes.map((_, group) => `shares_${group}`);
  const softmax = logits.map(
    (name, group): Node => ({
      operator: "Softmax",
      domain: "",
      inputs: [name],
      outputs: [shares[group] as string],
      attributes: { axis: { int: -1 } },
    }),
  );
  return {
    nodes: [
      { operator: "Split", domain: "", inputs: [input, "sizes"], outputs: logits, attributes: { axis: { int: 1 } } },
      ...softmax,
      { operator: "Concat", domain: "", inputs: shares, outputs: [output], attributes: { axis: { int: 1 } } },
    ],
    constants: [{ name: "sizes", type: "int64", shape: [sizes.length], data: BigInt64Array.from(sizes, BigInt) }],
  };
}
