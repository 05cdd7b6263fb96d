/** By which loss an answer is learnt: moves and reconstructions by their squares (by their size where the recipe says so), classes by cross-entropy, values of actions by Huber's loss. */

import type { ModelOutput } from "../../models/contract.ts";
import type { Value } from "../tensors/graph-builder.ts";
import { absoluteError } from "../tensors/losses/absolute-error.ts";
import type { Loss } from "../tensors/losses/contract.ts";
import { crossEntropy } from "../tensors/losses/cross-entropy.ts";
import { huber } from "../tensors/losses/huber.ts";
import { squaredError } from "../tensors/losses/squared-error.ts";
import { add, scale } from "../tensors/operators/arithmetic.ts";
import { slice, split } from "../tensors/operators/layout.ts";

/** Rewards are of the order of 1 (quantitative notes, 4.4). */
const HUBER_DELTA = 1;

/** Families whose recipe learns moves by their absolute error: minutes leap, and squares would learn the leaps alone (quantitative notes, 5.1). */
const ABSOLUTE_FAMILIES: ReadonlySet<string> = new Set(["resnet1d"]);

/** @param family its id. */
export function lossFor(family: string, output: ModelOutput): Loss {
  if (output.unit === "bps" && ABSOLUTE_FAMILIES.has(family)) return absoluteError;
  if (output.unit === "probability") return classLoss(output.groups.map(({ labels }) => labels.length));
  return output.unit === "reward" ? huber(HUBER_DELTA) : squaredError;
}

/**
 * Cross-entropy of several questions at once, the labels of one after those of the other in [rows, outputs]. Weights are per cell, equal over the labels of
 * one question: so a row may know the answer to some questions and not to others. A question counts by its number of labels; where all have as many, the
 * loss is the mean over questions and rows.
 */
export function classLoss(sizes: readonly number[]): Loss {
  return {
    id: `classes ${sizes.join(" ")}`,
    weightsPer: "cell",
    build(graph, answer, { targets, weights, total }) {
      const [answers, truths, weighed] = [answer, targets, weights].map((value) => split(graph, value, { axis: 1, sizes })) as [
        Value[],
        Value[],
        Value[],
      ];
      const losses = sizes.map((size, group) => {
        const perRow = slice(graph, weighed[group] as Value, { axis: 1, from: 0, to: 1 });
        const truth = { targets: truths[group] as Value, weights: perRow, total };
        return scale(graph, crossEntropy.build(graph, answers[group] as Value, truth), size);
      });
      return losses.reduce((sum, loss) => add(graph, sum, loss));
    },
  };
}
