/**
 * What forecasters answer, and in which order it stands. Training, export and serving all read the order here.
 *
 * Moves: horizon by horizon, and in each bid, mid, ask, as core/labels has them. Classes: horizon by horizon which way the mid goes, or once which way it
 * changes next, given a change within the longest horizon. The horizons are those of the data.
 */

import { CHANGE_DIRECTIONS, DIRECTIONS } from "../core/labels/classes.ts";
import { DEFAULT_HORIZONS_MS } from "../core/labels/horizons.ts";
import { labelColumns } from "../core/labels/moves.ts";
import type { ClassQuestion, FamilyAnswer, Forecasts, ForecastsAsked, ModelFamily, OutputColumn } from "./contract.ts";

/** Of every family that forecasts from feature rows and says nothing else. */
export const FORECASTS: Forecasts = { kinds: ["moves", "classes"], asks: ["move", "next-change"] };

/** @returns [horizons x targets] the columns of the output, in order. */
export function forecastColumns(horizonsMs: readonly number[] = DEFAULT_HORIZONS_MS): readonly OutputColumn[] {
  return labelColumns(horizonsMs);
}

/** @returns [horizons], or one. */
export function classQuestions({ horizonsMs, asks }: ForecastsAsked): readonly ClassQuestion[] {
  if (asks === "next-change") return [{ asks, target: "mid", horizonMs: Math.max(...horizonsMs), labels: CHANGE_DIRECTIONS }];
  return horizonsMs.map((horizonMs) => ({ asks, target: "mid", horizonMs, labels: DIRECTIONS }));
}

/** @returns in the order of the kinds. */
export function answersTo({ kinds }: Forecasts, asked: ForecastsAsked): [FamilyAnswer, ...FamilyAnswer[]] {
  const [first, ...others] = kinds.map(
    (kind): FamilyAnswer =>
      kind === "moves" ? { kind, columns: forecastColumns(asked.horizonsMs) } : { kind, questions: classQuestions(asked) },
  );
  if (first === undefined) throw new RangeError("a forecaster that gives no kind of answer");
  return [first, ...others];
}

/** What is asked of a forecaster where nothing is said. */
export function usuallyAsked({ asks }: Forecasts): ForecastsAsked {
  return { horizonsMs: DEFAULT_HORIZONS_MS, asks: asks[0] };
}

/**
 * The family with its answers to what is asked; as it is where its answers are always the same.
 * @param asked `asks` null: the family's first.
 * @returns null where it doesn't answer that question.
 */
export function familyAt(
  family: ModelFamily,
  { horizonsMs, asks }: { horizonsMs: readonly number[]; asks: ClassQuestion["asks"] | null },
): ModelFamily | null {
  const { forecasts } = family;
  if (forecasts === null) return asks === null ? family : null;
  if (asks !== null && !forecasts.asks.includes(asks)) return null;
  return { ...family, answers: answersTo(forecasts, { horizonsMs, asks: asks ?? forecasts.asks[0] }) };
}
