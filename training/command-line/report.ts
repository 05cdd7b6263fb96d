/** How results are printed: tables for people, one JSON object for programs. */

import Table from "cli-table3";
import type { DetailedScore } from "../evaluate/scores.ts";

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const plain = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  plain.push(...rows.map((row) => [...row]));
  return plain.toString();
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
      `${(score.rmseSkill * 100).toFixed(2)} %`,
      score.directionHitRate === null ? "no moves" : `${score.directionHitRate.toFixed(3)} of ${score.moves}`,
      againstRidge(score),
      String(score.rows),
    ]),
  );
}

function againstRidge({ againstRidge: test }: DetailedScore): string {
  if (test === null) return "no test";
  return `${test.pValue < 0.001 ? "<.001" : test.pValue.toFixed(3)} ${test.isModelBetter ? "better" : "worse"}`;
}

function signed(value: number): string {
  return `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(4)}`;
}
