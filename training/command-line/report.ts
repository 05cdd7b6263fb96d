/** How results are printed: tables for people, one JSON object for programs. */

import type { ClassMeasures, ClassScore } from "../evaluate/class-scores.ts";
import type { DetailedScore } from "../evaluate/scores.ts";
import { signed } from "../report/signed.ts";
import type { RunCard } from "../train/run-card.ts";
import { fittedTable } from "./fitted-table.ts";

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const { isTTY, columns } = process.stdout;
  return fittedTable(head, rows, isTTY && columns > 0 ? columns : Number.POSITIVE_INFINITY);
}

/** "2026-01-01 00:00:32", UTC. */
export function when(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace("T", " ");
}

export function scoreTable(scores: readonly DetailedScore[]): string {
  return table(
    ["target", "horizon", "R² vs persistence [95 %]", "ridge R²", "RMSE skill", "direction given a move", "p against ridge", "rows"],
    scores.map((score) => [
      score.target,
      `${score.horizonMs / 1_000} s`,
      `${signed(score.r2)} [${signed(score.r2Low)}, ${signed(score.r2High)}]`,
      signed(score.ridgeR2),
      `${signed(score.rmseSkill * 100, 2)} %`,
      score.directionHitRate === null ? "no moves" : `${score.directionHitRate.toFixed(3)} of ${score.moves}`,
      againstRidge(score),
      String(score.rows),
    ]),
  );
}

/** How far off, in bps and on the market's own grid. Empty where no score tells. */
export function errorTable(scores: readonly DetailedScore[]): string {
  const rows = scores.flatMap(({ target, horizonMs, rmseSkill, errors }) => {
    if (errors === undefined) return [];
    const percent = (skill: number | null): string => (skill === null ? "–" : `${signed(skill * 100, 2)} %`);
    return [
      [
        target,
        `${horizonMs / 1_000} s`,
        ...[errors.rmseBps.toFixed(4), ticksText(errors.rmseTicks), percent(rmseSkill)],
        ...[errors.maeBps.toFixed(4), ticksText(errors.maeTicks), percent(errors.maeSkill)],
      ],
    ];
  });
  return rows.length === 0 ? "" : table(["target", "horizon", "RMSE bps", "ticks", "skill", "MAE bps", "ticks", "skill"], rows);
}

function ticksText(ticks: number | null): string {
  return ticks === null ? "–" : ticks.toFixed(3);
}

/** One question: the model with its intervals, and what needs none. */
export function classTable({ asks, target, horizonMs, labels, rows, model, intervals, ...score }: ClassScore): string {
  const asked = asks === "move" ? `${target} in ${horizonMs / 1_000} s` : `next change of the ${target} within ${horizonMs / 1_000} s`;
  const measured = (name: keyof ClassMeasures, digits: number): string => {
    const interval = intervals[name];
    const value = model[name];
    if (value === null) return "–";
    return `${signed(value, digits)}${interval === null ? "" : ` [${signed(interval.low, digits)}, ${signed(interval.high, digits)}]`}`;
  };
  const plain = (name: string, of: ClassMeasures): string[] => [
    name,
    ...MEASURES.map((each) => {
      const value = of[each];
      return value === null ? "–" : signed(value, 3);
    }),
  ];
  const body = [
    ["model", ...MEASURES.map((each) => measured(each, 3))],
    ...(score.logistic === null ? [] : [plain("logistic line", score.logistic)]),
    plain("last class known", score.persistence),
    plain("commonest class", score.majority),
  ];
  const confusion = score.confusion.map(
    (said, came) => `${labels[came]} came: said ${said.map((count, at) => `${labels[at]} ${count}`).join(", ")}`,
  );
  return `${table([asked, "accuracy", "macro-F1", "MCC", "log-loss", "Brier"], body)}\n${rows} rows; ${confusion.join("; ")}`;
}

const MEASURES = ["accuracy", "macroF1", "mcc", "logLoss", "brier"] as const;

function againstRidge({ againstRidge: test }: DetailedScore): string {
  if (test === null) return "no test";
  return `${test.pValue < 0.001 ? "<.001" : test.pValue.toFixed(3)} ${test.isModelBetter ? "better" : "worse"}`;
}

/** " (54925 on whole seconds, 54919 at +500 ms)"; nothing of a run on whole seconds alone. */
export function phasesText({ trainPhases = [] }: Pick<RunCard["split"], "trainPhases">): string {
  if (trainPhases.length === 0) return "";
  return ` (${trainPhases.map(({ phaseMs, rows }) => `${rows} ${phaseMs === 0 ? "on whole seconds" : `at +${phaseMs} ms`}`).join(", ")})`;
}
