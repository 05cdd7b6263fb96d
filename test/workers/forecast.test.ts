/** What a forecast looks like, from features and moves alone. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FeatureMoment } from "../../feed/contract.ts";
import { type ForecastSaid, forecastBody } from "../../workers/api/views/forecast.ts";
import type { MovesPrediction } from "../../workers/inference/contract.ts";

const AS_OF = Date.UTC(2026, 0, 5, 12);

const features: FeatureMoment = {
  market: "binance-spot:BTCUSDT",
  instrument: { venue: "binance-spot", symbol: "BTCUSDT", tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 5, mantissa: 1 } },
  now: AS_OF + 1_250,
  receivedAt: AS_OF + 1_000,
  featureTime: AS_OF,
  marketTime: AS_OF + 900,
  rowAgeMs: 250,
  bidTicks: 5_000_000,
  askTicks: 5_000_001,
  coverage: 0.75,
  proof: {
    lastSequence: 7,
    unbrokenSince: AS_OF,
    continuity: "book" as const,
    comparisons: 3,
    mismatches: 0,
    topLevels: null,
    audits: 0,
    lastAuditAt: null,
    gaps24h: 1,
  },
};

function predictionOf(columns: MovesPrediction["columns"], moves: readonly number[]): MovesPrediction {
  const model = {
    key: 0,
    modelId: "mlp",
    version: "1",
    sha256: "ab",
    source: "shipped",
    trainedOn: "simulated",
    trainedTicks: null,
    label: "anchored",
  } as const;
  return { ok: true, ...model, fellBackFrom: null, kind: "moves", columns, movesBps: moves, calibrated: null };
}

function said(moment: FeatureMoment, prediction: MovesPrediction): ForecastSaid {
  return { moment, prediction, fingerprint: "0123456789abcdef", skill: { mark: "unknown", horizons: [], odds: [] } };
}

describe("a forecast", () => {
  const two = predictionOf(
    [
      { target: "ask", horizonMs: 5_000 },
      { target: "bid", horizonMs: 1_000 },
      { target: "mid", horizonMs: 1_000 },
      { target: "ask", horizonMs: 1_000 },
    ],
    [2, -1, 0, 10_000],
  );

  it("moves each price from its own present one, in bps and in ticks, and is for the market's time, not ours", () => {
    const answer = forecastBody(said(features, two), null);
    if (!("forecast" in answer)) throw new Error("no forecast");
    expect(answer.forecast.present).toEqual({ bid: "50000.000000", mid: "50000.005000", ask: "50000.010000" });
    expect(answer.forecast.horizons).toEqual([
      {
        horizonMs: 1_000,
        targetTime: AS_OF + 1_000,
        bid: { price: "49995.000000", moveBps: -1, moveTicks: -500 },
        mid: { price: "50000.005000", moveBps: 0, moveTicks: 0 },
        ask: { price: "100000.020000", moveBps: 10_000, moveTicks: 5_000_001 },
        interval: null,
        odds: null,
      },
      {
        horizonMs: 5_000,
        targetTime: AS_OF + 5_000,
        bid: null,
        mid: null,
        ask: { price: "50010.010002", moveBps: 2, moveTicks: expect.closeTo(1_000.0002, 6) },
        interval: null,
        odds: null,
      },
    ]);
  });

  it("says how fresh it is by the feed's clock, and what it rests on", () => {
    const answer = forecastBody(said(features, two), 1_000);
    expect(answer).toMatchObject({
      forecast: {
        asOf: AS_OF,
        freshness: { receivedAt: AS_OF + 1_000, ageMs: 250, marketTime: AS_OF + 900 },
        coverage: 0.75,
        fingerprint: "0123456789abcdef",
        model: { id: "mlp", version: "1", sha256: "ab", source: "shipped", label: "anchored", trainedOn: "simulated" },
        horizons: [{ horizonMs: 1_000 }],
      },
    });
  });

  it("of a horizon that the model doesn't have is none: it lists those there are, and interpolates nothing", () => {
    expect(forecastBody(said(features, two), 2_000)).toEqual({ available: [1_000, 5_000] });
  });

  it("for a time that has passed is none: the horizons left are named apart from the expired, and one that is asked for is refused", () => {
    const quiet = { ...features, rowAgeMs: 1_000 };
    expect(forecastBody(said(quiet, two), null)).toMatchObject({
      forecast: { horizons: [{ horizonMs: 5_000 }], expired: [1_000], rowAgeMs: 1_000 },
    });
    expect(forecastBody(said({ ...features, rowAgeMs: 999 }, two), null)).toMatchObject({ forecast: { expired: [] } });
    expect(forecastBody(said(quiet, two), 1_000)).toEqual({ expired: [1_000] });
    expect(forecastBody(said({ ...features, rowAgeMs: 60_000 }, two), null)).toEqual({ expired: [1_000, 5_000] });
    expect(forecastBody(said(quiet, two), 2_000)).toEqual({ available: [1_000, 5_000] });
  });

  it("of a calibrated model has the interval and the odds of the mid at their own horizon, and none at another", () => {
    const calibrated = [{ horizonMs: 1_000, lowBps: -10, highBps: 20, down: 0.25, flat: 0.25, up: 0.5, thresholdBps: 0.1 }];
    const skill = {
      mark: "skilled",
      horizons: [{ label: "point", horizonMs: 1_000, scored: 40, r2: 0.1, low: 0.05, high: 0.2, mark: "skilled" }],
      odds: [],
    } as const;
    const answer = forecastBody({ ...said(features, { ...two, calibrated }), skill }, null);
    expect(answer).toMatchObject({
      forecast: {
        horizons: [
          {
            horizonMs: 1_000,
            // 50000.005 less a thousandth, and twice that more.
            interval: { low: "49950.004995", high: "50100.005010", lowBps: -10, highBps: 20 },
            odds: { down: 0.25, flat: 0.25, up: 0.5, thresholdBps: 0.1 },
          },
          { horizonMs: 5_000, interval: null, odds: null },
        ],
        skill,
      },
    });
  });

  it("of one horizon says what the model is worth at that one: the skill of another second would be borrowed", () => {
    const known = (horizonMs: number, mark: "skilled" | "none") =>
      ({ label: "anchored", horizonMs, scored: 900, r2: 0, low: 0, high: 0, mark }) as const;
    const oddsAt = (horizonMs: number) => {
      const brier = { brierSkill: 0.1, brierLow: 0.05, brierHigh: 0.2 };
      return {
        label: "anchored",
        horizonMs,
        scored: 900,
        ...brier,
        logLossSkill: 0.1,
        logLossLow: null,
        logLossHigh: null,
        mark: "skilled",
      } as const;
    };
    const skill = { mark: "skilled", horizons: [known(1_000, "skilled"), known(5_000, "none")], odds: [oddsAt(1_000)] } as const;
    const skillAt = (horizonMs: number | null, model = two) => {
      const answer = forecastBody({ ...said(features, model), skill }, horizonMs);
      return "forecast" in answer ? answer.forecast.skill : answer;
    };
    expect(skillAt(null)).toEqual(skill);
    expect(skillAt(1_000)).toEqual({ mark: "skilled", horizons: [skill.horizons[0]], odds: [skill.odds[0]] });
    expect(skillAt(5_000)).toEqual({ mark: "none", horizons: [skill.horizons[1]], odds: [] });
    expect(skillAt(5_000, { ...two, label: "point" })).toEqual({ mark: "unknown", horizons: [], odds: [] });
  });

  it("tells ticks of the market's own grid: a bps of a coarse one is a fraction of what it is on a fine one", () => {
    const one = predictionOf([{ target: "mid", horizonMs: 1_000 }], [2.5]);
    const ticksAt = (bidTicks: number, askTicks: number): number | undefined => {
      const answer = forecastBody(said({ ...features, bidTicks, askTicks }, one), 1_000);
      return "forecast" in answer ? answer.forecast.horizons[0]?.mid?.moveTicks : undefined;
    };
    expect(ticksAt(40_000, 40_000)).toBe(10);
    expect(ticksAt(399, 401)).toBeCloseTo(0.1, 12);
  });

  it("by a model of another tick size says so: its moves are of markets with other queues and spreads", () => {
    // A bid and an ask of 40,000 ticks: a tick is a quarter of a basis point.
    const modelAt = (trainedTicks: MovesPrediction["trainedTicks"]) => {
      const prediction = { ...predictionOf([{ target: "mid", horizonMs: 1_000 }], [1]), trainedTicks };
      const answer = forecastBody(said({ ...features, bidTicks: 40_000, askTicks: 40_000 }, prediction), null);
      return "forecast" in answer ? { tickBps: answer.forecast.model.tickBps, otherTick: answer.forecast.model.otherTick } : null;
    };
    expect(modelAt({ low: 0.25, high: 0.25 })).toEqual({ tickBps: 0.25, otherTick: false });
    expect(modelAt({ low: 0.125, high: 0.125 })?.otherTick).toBe(false);
    expect(modelAt({ low: 0.1, high: 0.124 })?.otherTick).toBe(true);
    expect(modelAt({ low: 0.5, high: 3 })?.otherTick).toBe(false);
    expect(modelAt({ low: 0.51, high: 3 })?.otherTick).toBe(true);
    expect(modelAt(null)?.otherTick).toBeNull();
  });

  it("is within half of its last digit of the exact product", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.double({ min: -500, max: 500, noNaN: true }), (bidTicks, moveBps) => {
        const answer = forecastBody(
          said({ ...features, bidTicks, askTicks: bidTicks + 1 }, predictionOf([{ target: "bid", horizonMs: 1_000 }], [moveBps])),
          1_000,
        );
        if (!("forecast" in answer)) throw new Error("no forecast");
        const price = Number(answer.forecast.horizons[0]?.bid?.price);
        expect(Math.abs(price - (bidTicks / 100) * (1 + moveBps / 10_000))).toBeLessThanOrEqual(0.5e-6 + 1e-9);
      }),
    );
  });
});
