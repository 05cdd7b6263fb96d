/** The loss of several questions at once: one that mixes the labels of two questions teaches neither. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classLoss } from "../../training/networks/losses.ts";
import { encodeModel } from "../../training/onnx/encode.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { GraphBuilder } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import { sum } from "../../training/tensors/operators/reductions.ts";
import { checkRules } from "./gradient-check.ts";

const LOGITS = [1, 0, -1, 2, -2, 0.5, 0.5, 0, 3, 1];
const TRUTH = [1, 0, 0, 0, 1, 0, 0, 1, 1, 0];
/** The second row doesn't know the first question. */
const WEIGHTS = [1, 1, 1, 1, 1, 0, 0, 0, 1, 1];

/** Two questions, of three labels and of two. */
async function lossOf(weights: readonly number[]): Promise<number> {
  const graph = new GraphBuilder();
  const answer = graph.parameter("answer", [2, 5], { initialise: zeros, isDecayed: false });
  const truth = {
    targets: graph.constant(TRUTH, [2, 5]),
    weights: graph.constant(weights, [2, 5]),
    total: graph.constant([weights.reduce((all, one) => all + one, 0)], [1]),
  };
  graph.output("loss", classLoss([3, 2]).build(graph, answer, truth));
  graph.unpackParameters("parameters");
  const session = await (await loadRuntime("node")).open(encodeModel(graph.model("loss")));
  const { loss } = await session.run({ parameters: { shape: [10], data: Float32Array.from(LOGITS) } });
  await session.release();
  return loss?.[0] ?? Number.NaN;
}

/** -ln of the probability of the class that was. */
function surprise(logits: readonly number[], truth: number): number {
  const all = logits.reduce((total, logit) => total + Math.exp(logit), 0);
  return -Math.log(Math.exp(logits[truth] ?? Number.NaN) / all);
}

describe("the loss of classes", () => {
  it("is the surprise at each known answer, each question counted by its labels", async () => {
    const known = [
      { surprise: surprise([1, 0, -1], 0), labels: 3 },
      { surprise: surprise([2, -2], 1), labels: 2 },
      { surprise: surprise([3, 1], 0), labels: 2 },
    ];
    const labels = known.reduce((all, one) => all + one.labels, 0);
    const expected = known.reduce((all, one) => all + one.labels * one.surprise, 0) / labels;
    expect(await lossOf(WEIGHTS)).toBeCloseTo(expected, 6);
  });

  it("has the gradient that differences have", () =>
    checkRules(fc.integer({ min: 2, max: 4 }), (rows) => ({
      shapes: [[rows, 5]],
      build: (graph, [answer]) => {
        if (answer === undefined) throw new Error("no answer");
        const repeated = (numbers: readonly number[]) =>
          Array.from({ length: rows }, (_, row) => numbers.slice(5 * (row % 2), 5 * (row % 2) + 5)).flat();
        const truth = {
          targets: graph.constant(repeated(TRUTH), [rows, 5]),
          weights: graph.constant(repeated(WEIGHTS), [rows, 5]),
          total: graph.constant([7], [1]),
        };
        return sum(graph, classLoss([3, 2]).build(graph, answer, truth), [0], { keepsAxes: true });
      },
    })));
});
