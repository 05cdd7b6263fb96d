/** The model file: what comes back is what was written, and nothing else is ever taken for a model. */

import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tree, TreeEnsemble } from "../../../training/trees/contract.ts";
import { encodeTrees, hashOfTrees, parseTrees } from "../../../training/trees/tree-file.ts";
import { randomEnsemble } from "./random-trees.ts";

const ensemble = randomEnsemble({ seed: 1, trees: 3, columns: 4, outputs: 1, maxDepth: 3 });
const file = encodeTrees(ensemble);
const BODY = file.length - 32;

/** The bytes with a hash that fits them: what an attacker, not a bad disk, would hand over. */
function sealed(body: Uint8Array): Uint8Array {
  return Uint8Array.from([...body, ...createHash("sha256").update(body).digest()]);
}

function changed(at: number, value: number): Uint8Array {
  const body = file.slice(0, BODY);
  body[at] = value;
  return sealed(body);
}

/** A file with another header before the same arrays. */
function withHeader(header: string): Uint8Array {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(8, true);
  const text = new TextEncoder().encode(header);
  const prefix = new Uint8Array(Math.ceil((12 + text.length) / 4) * 4);
  prefix.set(file.subarray(0, 8));
  new DataView(prefix.buffer).setUint32(8, text.length, true);
  prefix.set(text, 12);
  return sealed(Uint8Array.from([...prefix, ...file.subarray(Math.ceil((12 + length) / 4) * 4, BODY)]));
}

const reasonOf = (bytes: Uint8Array): string => {
  const parsed = parseTrees(bytes);
  return "malformed" in parsed ? parsed.malformed : "taken for an ensemble";
};

describe("a model file", () => {
  it("gives back each number of any ensemble, objectives with all their fields", () => {
    const objectives = [
      { kind: "squared-error" },
      { kind: "absolute-error" },
      { kind: "quantile", level: 0.1 + 0.2 },
      { kind: "log-loss" },
      { kind: "multiclass", classes: 3 },
    ] as const;
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...objectives), fc.integer({ min: 0, max: 9 }), (seed, objective, trees) => {
        const outputs = objective.kind === "multiclass" ? 3 : 1;
        const written = randomEnsemble({ seed, trees, columns: 3, outputs, maxDepth: 4, objective });
        expect(parseTrees(encodeTrees(written))).toEqual({ ensemble: written });
      }),
    );
  });

  it("is the same bytes for the same model, whatever order its fields were set in, and its hash is of them", () => {
    const { trees, base, outputs, columns } = ensemble;
    const reordered: TreeEnsemble = { trees, base, outputs, objective: { kind: "squared-error" }, columns };
    expect(encodeTrees(reordered)).toEqual(file);
    expect(hashOfTrees(file)).toBe(createHash("sha256").update(file.subarray(0, BODY)).digest("hex"));
  });

  it("is read where it lies in a larger buffer, off any alignment", () => {
    const larger = new Uint8Array(file.length + 3);
    larger.set(file, 3);
    expect(parseTrees(larger.subarray(3))).toEqual({ ensemble });
  });

  it("cut short or changed in any byte is refused", () => {
    for (let length = 0; length < file.length; length++) expect(reasonOf(file.subarray(0, length))).not.toBe("taken for an ensemble");
    for (let at = 0; at < file.length; at++) {
      const damaged = file.slice();
      damaged[at] = (damaged[at] as number) ^ 1;
      expect(reasonOf(damaged)).not.toBe("taken for an ensemble");
    }
  });

  it("with a hash that fits but any other content never throws, and what is taken can be walked from any row", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: BODY - 1 }), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const parsed = parseTrees(changed(at, value));
        if ("malformed" in parsed) return;
        for (const tree of parsed.ensemble.trees) expect(everyWayEnds(tree, parsed.ensemble.columns)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["", "no JSON"],
    ["null", "no object"],
    ['{"objective":{"kind":"magic"}}', "no objective"],
    ['{"objective":{"kind":"quantile","level":1},"columns":4,"outputs":1,"trees":[]}', "no objective"],
    ['{"objective":{"kind":"log-loss"},"columns":0,"outputs":1,"trees":[]}', "0 columns"],
    ['{"objective":{"kind":"log-loss"},"columns":4,"outputs":1}', "no trees"],
    ['{"objective":{"kind":"log-loss"},"columns":4,"outputs":1,"trees":[[0,0]]}', "0 nodes"],
    ['{"objective":{"kind":"log-loss"},"columns":4,"outputs":1,"trees":[[0,268435456],[0,268435456]]}', "536870912 nodes"],
    ['{"objective":{"kind":"log-loss"},"columns":4,"outputs":1,"trees":[[0,1]]}', "bytes of arrays"],
  ])("with the header %s is refused: its arrays would be read as what they are not", (header, reason) => {
    expect(reasonOf(withHeader(header))).toContain(reason);
  });

  const stump: Tree = {
    output: 0,
    feature: Int32Array.of(0, -1, -1),
    threshold: Float32Array.of(0, 0, 0),
    isMissingLeft: Uint8Array.of(0, 0, 0),
    left: Int32Array.of(1, -1, -1),
    right: Int32Array.of(2, -1, -1),
    value: Float32Array.of(0, 1, 2),
    gain: Float32Array.of(1, 0, 0),
    cover: Float32Array.of(2, 1, 1),
  };
  it.each<[string, Partial<Tree>, string]>([
    ["a circle", { left: Int32Array.of(0, -1, -1) }, "leads to 0"],
    ["a child outside", { right: Int32Array.of(3, -1, -1) }, "leads to 3"],
    ["a child of two", { right: Int32Array.of(1, -1, -1) }, "two parents"],
    ["a leaf with a child", { right: Int32Array.of(2, 2, -1) }, "leaf 1 has children"],
    ["a column that isn't there", { feature: Int32Array.of(4, -1, -1) }, "column 4 of 4"],
    ["a negative column", { feature: Int32Array.of(-2, -1, -1) }, "column -2"],
    ["an output that isn't there", { output: 1 }, "output 1 of 1"],
    ["a threshold that nothing is below", { threshold: Float32Array.of(Number.NaN, 0, 0) }, "threshold of node 0"],
    ["an infinite leaf", { value: Float32Array.of(0, Number.POSITIVE_INFINITY, 2) }, "value of node 1"],
    ["a node that no row saw", { cover: Float32Array.of(2, 0, 1) }, "no row came by node 1"],
    ["arrays of other lengths", { value: Float32Array.of(0, 1, 2, 3) }, "value has 4 entries for 3 nodes"],
    [
      "a node that nothing leads to",
      { feature: Int32Array.of(-1, -1, -1), left: stump.right.map(() => -1), right: stump.right.map(() => -1) },
      "nothing leads to node 1",
    ],
    ["a way for the missing that is no side", { isMissingLeft: Uint8Array.of(2, 0, 0) }, "isMissingLeft of node 0 is 2"],
    ["no node", { feature: new Int32Array(0) }, "no nodes"],
  ])("is never written for %s", (_, wrong, reason) => {
    expect(() => encodeTrees({ ...ensemble, trees: [{ ...stump, ...wrong }] })).toThrow(reason);
  });

  it("is never written with a base or outputs that the objective doesn't have", () => {
    expect(() => encodeTrees({ ...ensemble, outputs: 2 })).toThrow(/2 outputs/);
    expect(() => encodeTrees({ ...ensemble, base: Float32Array.of(Number.NaN) })).toThrow(/base/);
  });
});

function everyWayEnds(tree: Tree, columns: number): boolean {
  const ends = (node: number, left: number): boolean => {
    const column = tree.feature[node];
    if (column === undefined || left === 0) return false;
    if (column === -1) return Number.isFinite(tree.value[node]);
    return column < columns && ends(tree.left[node] as number, left - 1) && ends(tree.right[node] as number, left - 1);
  };
  return ends(0, tree.feature.length);
}
