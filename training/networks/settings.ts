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

export interface NetworkSettings {
  readonly answer: AnswerKind;
  readonly size: NetworkSize;
  /** Of classes: what is asked; absent: the family's first. */
  readonly asks?: ClassQuestion["asks"] | undefined;
}

export const networkSettingsShape = z.strictObject({
  answer: z.enum(ANSWER_KINDS),
  size: z.enum(NETWORK_SIZES),
  asks: z.enum(CLASS_ASKS).optional(),
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

/** What a manifest would say of it, with the thresholds that training rows gave. */
export function outputFor(
  family: Pick<ModelFamily, "id" | "answers">,
  kind: AnswerKind,
  thresholdsBps: readonly number[] = [],
): ModelOutput {
  return outputOf(answerFor(family, kind), thresholdsBps);
}
