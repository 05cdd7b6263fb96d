/** A comparison on the terminal: R² by horizon, a line a model, a table a target; what a label gives away, and the codes' verdict. */

import type { Comparison } from "../compare/comparison.ts";
import { decimal, horizonsOfTarget, MARKS, r2Text, scoreAt, seconds } from "../compare/report/numbers.ts";
import { table } from "./report.ts";

export function comparisonText(comparison: Comparison): string {
  const targets = ["mid", "bid", "ask"].filter((target) => comparison.outputs.some((output) => output.target === target));
  const { coded, configurations, protocol, refused } = comparison;
  return [
    ...targets.map((target) => targetTable(comparison, target)),
    `R² against persistence; ${MARKS}`,
    ...freeTable(comparison),
    ...coded.map(
      (one) =>
        `${one.coded} beside ${one.plain}: ${one.microseconds.map((value) => value?.toFixed(0) ?? "?").join(" and ")} µs a forecast, mean R² ${one.r2.map((value) => decimal(value)).join(" and ")}: the code is ${one.isOnByDefault ? "on" : "off"} by default`,
    ),
    `${configurations} settings were tried in all; ${protocol}`,
    ...comparison.suspicions.map((suspicion) => `! ${suspicion}`),
    ...refused.map(({ id, reason }) => `${id} is left out: ${reason}`),
  ].join("\n");
}

function targetTable(comparison: Comparison, target: string): string {
  const horizons = horizonsOfTarget(comparison, target);
  const rows = comparison.models.map((model) => [
    model.id,
    ...horizons.map((horizonMs) => r2Text(scoreAt(model, target, horizonMs))),
    model.costs.fitSeconds.toFixed(0),
    model.costs.served?.medianMicroseconds.toFixed(0) ?? "–",
  ]);
  return table([`R² of the ${target}`, ...horizons.map(seconds), "s to fit", "µs a forecast"], rows);
}

function freeTable({ free }: Comparison): string[] {
  if (free.length === 0) return [];
  const rows = free.map(({ label, horizonMs, r2, free: given }) => [
    label,
    seconds(horizonMs),
    decimal(r2.momentum),
    decimal(r2.ridge),
    decimal(given),
  ]);
  return [table(["label", "horizon", "momentum R²", "ridge R²", "free on a random walk"], rows)];
}
