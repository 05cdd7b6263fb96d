/** A comparison as a table of a document, with what it was made of and the command that makes it. */

import type { Comparison } from "../comparison.ts";
import { decimal, horizonsOfTarget, intervalText, MARKS, minuteOf, r2Text, scoreAt, seconds } from "./numbers.ts";

/** @param command as it was typed; null: unknown. */
export function comparisonMarkdown(comparison: Comparison, { target, command }: { target: string; command: string | null }): string {
  const horizons = horizonsOfTarget(comparison, target);
  const [first] = comparison.folds;
  const last = comparison.folds.at(-1);
  const rows = comparison.models.map((model) => [model.id, ...horizons.map((horizonMs) => r2Text(scoreAt(model, target, horizonMs)))]);
  const best = bestAt(comparison, target, horizons);
  const scored =
    first === undefined || last === undefined
      ? ""
      : `Fitted on ${minuteOf(first.fit.from)} … ${minuteOf(first.fit.to)}, validated until ${minuteOf(first.validation.to)}, scored on ${minuteOf(first.test.from)} … ${minuteOf(last.test.to)} UTC, ${comparison.folds.reduce((sum, { test }) => sum + test.rows, 0)} rows.`;
  return [
    ...(command === null ? [] : ["```", command, "```", ""]),
    `${scored} R² of the ${target} against persistence; ${MARKS}:`,
    "",
    row([target, ...horizons.map(seconds)]),
    row(["---", ...horizons.map(() => "---")]),
    ...rows.map(row),
    row(["**best**", ...best]),
    "",
    `${comparison.configurations} settings were tried in all. ${comparison.protocol}.`,
    "",
  ].join("\n");
}

/** The name of the best of each horizon, and its interval. */
function bestAt(comparison: Comparison, target: string, horizons: readonly number[]): string[] {
  return horizons.map((horizonMs) => {
    const scored = comparison.models.flatMap((model) => {
      const score = scoreAt(model, target, horizonMs);
      return score === null ? [] : [{ id: model.id, score }];
    });
    const best = scored.toSorted((one, other) => other.score.r2 - one.score.r2)[0];
    return best === undefined ? "" : `${best.id} ${decimal(best.score.r2)}${intervalText(best.score)}`;
  });
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
