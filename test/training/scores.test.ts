/** One output's score: whose R² is whose, and how sure it is where neighbouring rows tell the same story twice. */

import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { dieboldMariano } from "../../core/metrics/diebold-mariano.ts";
import { scoreOutput } from "../../training/evaluate/scores.ts";

const SECOND = { target: "mid", horizonMs: 1_000 } as const;
const TEN_SECONDS = { target: "mid", horizonMs: 10_000 } as const;
const INTERVAL_MS = 1_000;

/** A model that forecasts half of each move, beside a line that forecasts a fifth of it. */
function halfAndFifth(actual: Float64Array): { actual: Float64Array; predicted: Float64Array; ridge: Float64Array } {
  return { actual, predicted: actual.map((move) => move / 2), ridge: actual.map((move) => move / 5) };
}

describe("the score of an output", () => {
  it("shows the line's own R² beside the model's: shown the model's twice, a network that is no better than a line would pass", () => {
    const actual = Float64Array.from({ length: 200 }, (_, row) => [4, -2, 0, 1][row % 4] as number);
    const score = scoreOutput(SECOND, halfAndFifth(actual), INTERVAL_MS);
    // What is left of each move is a half, and four fifths: R² 1 - 1/4 and 1 - 16/25; RMSE half of persistence's.
    expect(score).toMatchObject({ target: "mid", horizonMs: 1_000, rows: 200, moves: 150, directionHitRate: 1 });
    expect(score?.r2).toBeCloseTo(0.75, 12);
    expect(score?.ridgeR2).toBeCloseTo(0.36, 12);
    expect(score?.rmseSkill).toBeCloseTo(0.5, 12);
  });

  it("tells errors in bps, and in ticks of each row's own price: of two markets a bps is not as many ticks", () => {
    const actual = Float64Array.from({ length: 200 }, (_, row) => [4, -2, 0, 2][row % 4] as number);
    const rows = halfAndFifth(actual);
    // Errors of 2, 1, 0, 1 bps: MAE 1 beside 2 of persistence, MSE 1.5.
    const inBps = { rmseBps: expect.closeTo(Math.sqrt(1.5), 12), maeBps: 1, maeSkill: 0.5 };
    expect(scoreOutput(SECOND, rows, INTERVAL_MS)?.errors).toEqual({ ...inBps, rmseTicks: null, maeTicks: null });
    // The first two of four at 20,000 ticks (a bps is two), the others at 5,000 (a bps is half a tick): 4, 2, 0, .5 ticks.
    const priceTicks = actual.map((_, row) => (row % 4 < 2 ? 20_000 : 5_000));
    expect(scoreOutput(SECOND, { ...rows, priceTicks }, INTERVAL_MS)?.errors).toEqual({
      ...inBps,
      rmseTicks: expect.closeTo(Math.sqrt(20.25 / 4), 12),
      maeTicks: expect.closeTo(1.625, 12),
    });
  });

  it("tests against the line as ten rows that overlap: tested as single rows, luck would pass for skill", () => {
    // Every move is 1. For ten rows on end the model forecasts a chance number, and the line the opposite: neither is better but by luck.
    const random = new Random(5);
    let luck = 0;
    const predicted = Float64Array.from({ length: 400 }, (_, row) => {
      if (row % 10 === 0) luck = random.normal();
      return luck;
    });
    const actual = new Float64Array(400).fill(1);
    const ridge = predicted.map((forecast) => -forecast);
    // (1 + luck)² - (1 - luck)².
    const differences = predicted.map((forecast) => 4 * forecast);
    const overlapping = dieboldMariano(differences, 10)?.pValue ?? Number.NaN;
    const score = scoreOutput(TEN_SECONDS, { actual, predicted, ridge }, INTERVAL_MS);
    expect(score?.againstRidge?.pValue).toBeCloseTo(overlapping, 10);
    expect(overlapping).toBeGreaterThan(0.05);
    expect(dieboldMariano(differences, 1)?.pValue).toBeLessThan(0.05);
    expect(score?.againstRidge?.isModelBetter).toBe(true);
    const changed = scoreOutput(TEN_SECONDS, { actual, predicted: ridge, ridge: predicted }, INTERVAL_MS);
    expect(changed?.againstRidge?.isModelBetter).toBe(false);
  });

  it("is as unsure as blocks of ten minutes say: drawn second by second, spells of luck would look like certainty", () => {
    // Right for ten minutes, silent for ten: R² is one half. A block's share of right rows is uniform on 0 to 1, with variance 1/12; of 40
    // blocks the mean has a deviation of √(1/12/40) = .0456, so the interval is 2 x 1.96 x .0456 = .179 wide.
    const actual = Float64Array.from({ length: 24_000 }, (_, row) => (row % 2 === 0 ? 1 : -1));
    const predicted = actual.map((move, row) => (Math.floor(row / 600) % 2 === 0 ? move : 0));
    const score = scoreOutput(SECOND, { actual, predicted, ridge: new Float64Array(24_000) }, INTERVAL_MS);
    expect(score?.r2).toBeCloseTo(0.5, 12);
    const width = (score?.r2High ?? Number.NaN) - (score?.r2Low ?? Number.NaN);
    expect(width).toBeGreaterThan(0.16);
    expect(width).toBeLessThan(0.2);
  });
});
