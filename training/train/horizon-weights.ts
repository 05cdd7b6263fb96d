/**
 * What the moves at a horizon count in a network's loss. The loss stays a weighted mean: only how the weights stand to each other matters, and rows that lack a
 * long horizon's move weigh the less. Every horizon that is trained has one: a move of no weight would be answered by whatever the others made of its output.
 */

import { horizonsOf } from "../../core/labels/horizons.ts";
import type { LabelColumn } from "../../core/labels/moves.ts";
import { CommandError } from "../command-error.ts";

/** By horizon in ms. */
export type HorizonWeights = ReadonlyMap<number, number>;

/** "1000:2,5000:1,30000:.1" as `--horizon-weights` takes it. Throws CommandError with what is wrong. */
export function parseHorizonWeights(text: string): HorizonWeights {
  const weights = new Map<number, number>();
  for (const part of text.split(",")) {
    const [, horizon, weight] = /^(\d{1,9}):(\d*\.?\d+)$/.exec(part.trim()) ?? [];
    const [horizonMs, counts] = [Number(horizon), Number(weight)];
    if (!(horizonMs > 0 && counts > 0))
      throw new CommandError(`--horizon-weights ${text}: "${part}" is no horizon in ms with a weight above 0, such as 1000:2`);
    if (weights.has(horizonMs)) throw new CommandError(`--horizon-weights ${text}: ${horizonMs} is named twice`);
    weights.set(horizonMs, counts);
  }
  return weights;
}

/** @returns [outputs] for each move its horizon's. Throws CommandError where a horizon has none, or is not trained. */
export function weightsOfMoves(weights: HorizonWeights, moves: readonly LabelColumn[]): number[] {
  const trained = horizonsOf(moves);
  const unknown = [...weights.keys()].filter((horizonMs) => !trained.includes(horizonMs));
  if (unknown.length > 0)
    throw new CommandError(
      `--horizon-weights names ${unknown.join(", ")} ms, and what is trained has ${trained.join(", ")}: leave them out`,
    );
  return moves.map(({ horizonMs }) => {
    const weight = weights.get(horizonMs);
    if (weight !== undefined) return weight;
    throw new CommandError(
      `--horizon-weights says nothing of ${horizonMs} ms: give it a weight, or leave it out of what is trained with \`--horizons ${[...weights.keys()].sort((one, other) => one - other).join(",")}\``,
    );
  });
}
