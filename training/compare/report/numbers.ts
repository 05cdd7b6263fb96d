/** Numbers of a comparison as its tables show them, on the page, on the terminal and in documents. */

import type { ForecastScore } from "../../evaluate/forecast-score.ts";
import { signed } from "../../report/signed.ts";
import type { ComparedResult, Comparison } from "../comparison.ts";

export const ABSENT = "–";
const DIGITS = 3;
/** One test in a hundred is marked by luck. */
const SIGNIFICANT = 0.01;

export const MARKS = "* better than ridge, ° worse (Diebold and Mariano, corrected by Harvey, Leybourne, Newbold; p < 0.01)";

/** Ascending, of one target. */
export function horizonsOfTarget({ outputs }: Comparison, target: string): number[] {
  return [...new Set(outputs.filter((one) => one.target === target).map(({ horizonMs }) => horizonMs))].sort((one, other) => one - other);
}

export function scoreAt({ scores }: ComparedResult, target: string, horizonMs: number): ForecastScore | null {
  return scores.find((one) => one.target === target && one.horizonMs === horizonMs) ?? null;
}

/** ".217 *" with three digits. */
export function r2Text(score: ForecastScore | null): string {
  return score === null ? ABSENT : `${signed(score.r2, DIGITS)}${markOf(score.againstRidge)}`;
}

export function intervalText(score: ForecastScore | null): string {
  if (score?.interval == null) return "";
  return ` [${signed(score.interval.low, DIGITS)}, ${signed(score.interval.high, DIGITS)}]`;
}

function markOf(test: ForecastScore["againstRidge"]): string {
  if (test === null || test.pValue >= SIGNIFICANT) return "";
  return test.statistic > 0 ? " *" : " °";
}

export function decimal(value: number | null | undefined, digits = DIGITS): string {
  return value === null || value === undefined ? ABSENT : signed(value, digits);
}

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? ABSENT : `${signed(100 * value, 1)} %`;
}

/** As tests are read: small ones by their power of ten. */
export function pText(test: ForecastScore["againstRidge"]): string {
  if (test === null) return ABSENT;
  const text = test.pValue < 0.001 ? "< 0.001" : test.pValue.toFixed(3);
  return `${text} (${test.statistic > 0 ? "better" : "worse"})`;
}

export function seconds(horizonMs: number): string {
  return `${horizonMs / 1_000} s`;
}

/** "2026-01-07 00:00", UTC. */
export function minuteOf(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace("T", " ");
}
