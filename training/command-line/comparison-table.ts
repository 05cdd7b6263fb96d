/** A comparison on the terminal: R² of the mid by horizon, a line a model. */

import type { ComparedResult, Comparison } from "../compare/comparison.ts";
import { signed } from "../report/signed.ts";
import { table } from "./report.ts";

const DIGITS = 3;

export function comparisonTable(comparison: Comparison, target = "mid"): string {
  const horizons = [...new Set(comparison.outputs.filter((one) => one.target === target).map(({ horizonMs }) => horizonMs))];
  const rows = comparison.models.map((model) => [
    model.id,
    ...horizons.map((horizonMs) => scoreAt(model, target, horizonMs)),
    model.costs.fitSeconds.toFixed(0),
  ]);
  const shown = table([`R² of the ${target}`, ...horizons.map((horizonMs) => `${horizonMs / 1_000} s`), "s to fit"], rows);
  const refused = comparison.refused.map(({ id, reason }) => `${id} is left out: ${reason}`);
  return [
    shown,
    "R² against persistence; * better than ridge, ° worse (Diebold-Mariano, p < 0.01)",
    `${comparison.configurations} settings were tried in all; ${comparison.protocol}`,
    ...refused,
  ].join("\n");
}

function scoreAt({ scores }: ComparedResult, target: string, horizonMs: number): string {
  const score = scores.find((one) => one.target === target && one.horizonMs === horizonMs);
  if (score === undefined) return "–";
  return `${signed(score.r2, DIGITS)}${markOf(score.againstRidge)}`;
}

/** One test in a hundred is marked by luck. */
const SIGNIFICANT = 0.01;

export function markOf(test: { readonly statistic: number; readonly pValue: number } | null): string {
  if (test === null || test.pValue >= SIGNIFICANT) return "";
  return test.statistic > 0 ? " *" : " °";
}
