/** How a family is to be built: what it answers, and how large it is. Kept in the run, since whoever evaluates or exports it builds it again. */

import { z } from "zod";
import {
  type AnswerKind,
  CLASS_ASKS,
  type ClassQuestion,
  type FamilyAnswer,
  type ModelFamily,
  type ModelOutput,
} from "../../models/contract.ts";
import { answerOfKind, outputOf } from "../../models/shapes.ts";

/** `paper` is the size of its source; the others are for less data or time, and for more. */
export const NETWORK_SIZES = ["small", "paper", "large"] as const;
export type NetworkSize = (typeof NETWORK_SIZES)[number];

export const ANSWER_KINDS = ["moves", "classes", "reconstruction", "action-values"] as const satisfies readonly AnswerKind[];

/** Far above what rows of a market can teach; more would be a slip of the pen, and take the memory of the machine. */
export const WIDEST_LAYER = 4_096;
export const MOST_LAYERS = 16;

export interface NetworkSettings {
  readonly answer: AnswerKind;
  readonly size: NetworkSize;
  /** Of classes: what is asked; absent: the family's first. */
  readonly asks?: ClassQuestion["asks"] | undefined;
  /** Of the mlp: widths of its hidden layers; absent: those of its size. */
  readonly hidden?: readonly number[] | undefined;
  /** Of the mlp: the share of each hidden layer that is dropped while training; absent: none. */
  readonly dropout?: number | undefined;
  /** A line from the newest row runs beside the network and is added to its answer; absent: none. */
  readonly hasLine?: boolean | undefined;
}

export const networkSettingsShape = z.strictObject({
  answer: z.enum(ANSWER_KINDS),
  size: z.enum(NETWORK_SIZES),
  asks: z.enum(CLASS_ASKS).optional(),
  hidden: z.array(z.int().positive().max(WIDEST_LAYER)).min(1).max(MOST_LAYERS).readonly().optional(),
  dropout: z.number().min(0).lt(1).optional(),
  hasLine: z.boolean().optional(),
});

/** Of the family as it is where nothing is said. */
export function defaultSettings(family: Pick<ModelFamily, "answers">): NetworkSettings {
  return { answer: family.answers[0].kind, size: "paper" };
}

/** @throws RangeError where the family gives no such answer. */
export function answerFor(family: Pick<ModelFamily, "id" | "answers">, kind: AnswerKind): FamilyAnswer {
  const answer = answerOfKind(family, kind);
  if (answer !== null) return answer;
  throw new RangeError(`${family.id} gives no ${kind}: choose one of ${family.answers.map((each) => each.kind).join(", ")}`);
}

/** @throws RangeError where a setting is none of this family's, or of this answer's. */
export function checkNetworkSettings({ id }: Pick<ModelFamily, "id">, { answer, hidden, dropout, hasLine }: NetworkSettings): void {
  if (id !== "mlp" && hidden !== undefined) throw new RangeError(`${id} has layers of its own: widths are of mlp`);
  if (id !== "mlp" && dropout !== undefined) throw new RangeError(`${id} drops as its source says: a dropout rate is of mlp`);
  const isForecast = answer === "moves" || answer === "classes";
  if (hasLine === true && !isForecast) throw new RangeError(`a line runs beside forecasts, and ${id} is to answer ${answer}`);
}

/** What a manifest would say of it, with the thresholds that training rows gave. */
export function outputFor(
  family: Pick<ModelFamily, "id" | "answers">,
  kind: AnswerKind,
  thresholdsBps: readonly number[] = [],
): ModelOutput {
  return outputOf(answerFor(family, kind), thresholdsBps);
}
