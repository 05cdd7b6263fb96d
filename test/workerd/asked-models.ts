/** What tests of the inference Worker ask, and when, and what must come: matrix products in plain doubles. */

import { expect } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { forecastColumns } from "../../models/forecasts.ts";
import type { InferenceAnswers } from "../../workers/inference/answers.ts";
import type { ModelRefusal, PredictAsk, Prediction } from "../../workers/inference/contract.ts";
import { linearAnswer, linearModel } from "./linear-model.ts";
import { at } from "./published-models.ts";
import { rowSetOf } from "./row-set.ts";

export const NOW = Date.UTC(2026, 0, 5, 12);
export const MINUTE = 60_000;
export const BTC = "binance-spot:BTCUSDT";
export const ETH = "binance-spot:ETHUSDT";
export const OUTPUTS = forecastColumns().length;
export const ROW = featureSetV1.columns.map((_, index) => Math.fround(Math.sin(index)));
export const V1 = rowSetOf(featureSetV1, [ROW]);

export async function forecast(answers: InferenceAnswers, ask: Omit<PredictAsk, "slot">, now: number): Promise<Prediction | ModelRefusal> {
  const { answers: got } = await answers.predict([{ ...ask, slot: "forecast" }], at(now));
  const active = got[0]?.active;
  if (active === undefined) throw new Error("no answer");
  return active;
}

/** The naive product. */
export function expectedMoves(seed: number, row: readonly number[] = ROW): number[] {
  return linearAnswer(row, linearModel({ id: "x", version: "1", seed }).weights, OUTPUTS);
}

export function expectMoves(answer: Prediction | ModelRefusal | undefined, expected: readonly number[], tolerance = 1e-3): void {
  if (!answer?.ok || answer.kind !== "moves") throw new Error(`no moves: ${JSON.stringify(answer)}`);
  expectRow([answer.movesBps], expected, tolerance);
}

export function expectRow(rows: readonly (readonly number[])[] | ModelRefusal, expected: readonly number[], tolerance = 1e-3): void {
  if ("ok" in rows) throw new Error(rows.detail);
  expect(rows[0]).toHaveLength(expected.length);
  for (const [index, value] of expected.entries())
    expect(Math.abs((rows[0]?.[index] ?? Number.NaN) - value)).toBeLessThanOrEqual(tolerance);
}
