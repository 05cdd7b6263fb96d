/** Signals as the API shows them: of which book, of whose word, and when there is none. */

import { describe, expect, it } from "vitest";
import type { BookView } from "../../feed/contract.ts";
import { neuralSignalBody, type SignalSaid, simpleSignalBody } from "../../workers/api/views/signal.ts";
import type { ClassesPrediction, Prediction } from "../../workers/inference/contract.ts";
import { DeskWorld, predictionBy, roleOf } from "./desk-world.ts";

const { sets: _rows, ok: _ok, ...moment } = new DeskWorld().viewOf("binance-spot:BTCUSDT", []);

function bookOf(bids: readonly number[], asks: readonly number[]): BookView {
  return {
    ...{ ok: true, market: moment.market, instrument: moment.instrument, now: moment.now, receivedAt: moment.receivedAt, marketTime: 0 },
    ...{ state: "normal", contentHash: "", completeTo: { bidTicks: null, askTicks: null }, proof: moment.proof },
    bids: bids.map((lots, depth) => [100 - depth, lots]),
    asks: asks.map((lots, depth) => [101 + depth, lots]),
  };
}

describe("the simple signal of a book", () => {
  it("says how many levels it counted: a short side is not passed off as ten levels", () => {
    expect(simpleSignalBody(bookOf([30, 0, 30], [10, 10]), { levels: 10, threshold: 0.4, isClassic: false })).toMatchObject({
      kind: "simple",
      definition: "edgebook",
      signal: "BUY",
      pressure: 0.5,
      threshold: 0.4,
      levels: { bid: 3, ask: 2 },
      model: null,
    });
  });

  it("by the classic definition takes fifty levels a side and no fewer, and shows its indicator right side up", () => {
    const flat = Array.from({ length: 50 }, () => 1);
    const options = { levels: 10, threshold: 0.1, isClassic: true };
    expect(simpleSignalBody(bookOf(flat.slice(1), flat), options)).toBeNull();
    // First sum 50 + 30 of the best ask, second 30 + 49: it leans to the bids by one, where the book leans to the asks.
    expect(simpleSignalBody(bookOf(flat, flat.with(0, 30)), options)).toMatchObject({
      definition: "classic",
      signal: "WAIT",
      pressure: 1 / 159,
      levels: { bid: 50, ask: 50 },
    });
  });
});

describe("the neural signal", () => {
  const moves = predictionBy(roleOf(1)) as Extract<Prediction, { kind: "moves" }>;
  const group = {
    asks: "next-change",
    target: "mid",
    horizonMs: 30_000,
    labels: ["down", "up"],
    thresholdBps: 0,
    probabilities: [0.2, 0.8],
  } as const;
  const classes = { ...moves, kind: "classes", groups: [group] } as unknown as ClassesPrediction;
  const options = { threshold: 0.4, isClassic: false };

  const knownOdds = {
    ...{ scored: 900, brierSkill: 0, brierLow: 0, brierHigh: 0 },
    ...{ logLossSkill: 0, logLossLow: 0, logLossHigh: 0 },
  };

  function signalOf(
    prediction: Prediction,
    change: Partial<SignalSaid["moment"]> = {},
    isClassic = false,
  ): ReturnType<typeof neuralSignalBody> {
    const known = { label: prediction.label as "point" | "anchored", scored: 900, r2: 0, low: 0, high: 0 };
    // The next second is known, and the signal is not of the next second; moves are forecast well, and the signal is made of odds.
    const horizons = [1_000, 30_000].map((horizonMs) => ({ ...known, horizonMs, mark: "skilled" as const }));
    const odds = [
      { ...knownOdds, label: known.label, horizonMs: 1_000, mark: "skilled" as const },
      { ...knownOdds, label: known.label, horizonMs: 30_000, mark: "none" as const },
    ];
    const skill = { mark: "skilled", horizons, odds } as const;
    return neuralSignalBody({ moment: { ...moment, ...change }, prediction, skill }, { ...options, isClassic });
  }

  it("is the model's word right side up, with whose it is, of when and how good", () => {
    expect(signalOf(classes)).toMatchObject({
      signal: {
        signal: "BUY",
        pressure: expect.closeTo(0.6, 12),
        levels: null,
        model: {
          id: "model1",
          version: "1",
          asks: "next-change",
          horizonMs: 30_000,
          down: 0.2,
          up: 0.8,
          asOf: moment.featureTime,
          // The ledger scores no next change.
          skill: { mark: "unknown", horizons: [], odds: [] },
        },
      },
    });
    expect(signalOf(classes, {}, true)).toMatchObject({ signal: { signal: "SELL", definition: "classic" } });
  });

  it("has the mark of the odds at its own horizon: neither that of moves nor of another second", () => {
    const asked = { ...classes, groups: [{ ...group, asks: "move" }] } as unknown as ClassesPrediction;
    expect(signalOf(asked)).toMatchObject({
      signal: {
        model: { horizonMs: 30_000, skill: { mark: "none", horizons: [{ mark: "skilled" }], odds: [{ horizonMs: 30_000, mark: "none" }] } },
      },
    });
    const calibrated = [{ horizonMs: 1_000, lowBps: -1, highBps: 1, down: 0.7, flat: 0.2, up: 0.1, thresholdBps: 0.1 }];
    expect(signalOf({ ...moves, calibrated })).toMatchObject({ signal: { model: { skill: { mark: "skilled" } } } });
  });

  it("of a model of moves is what its calibration says at the shortest horizon, and none where it has none", () => {
    const calibrated = [{ horizonMs: 1_000, lowBps: -1, highBps: 1, down: 0.7, flat: 0.2, up: 0.1, thresholdBps: 0.1 }];
    expect(signalOf({ ...moves, calibrated })).toMatchObject({ signal: { signal: "SELL", model: { asks: "move", horizonMs: 1_000 } } });
    expect(signalOf(moves)).toBe("no-probabilities");
    expect(signalOf({ ...classes, groups: [{ ...group, labels: ["flat", "moved"] }] } as unknown as ClassesPrediction)).toBe(
      "no-probabilities",
    );
  });

  it("of probabilities that float32 rounds above 1 is one: a model that is sure fails no request", () => {
    const sure = { ...classes, groups: [{ ...group, probabilities: [0, 1.0005] }] } as unknown as ClassesPrediction;
    expect(signalOf(sure)).toMatchObject({ signal: { signal: "BUY", pressure: 1 } });
    expect(signalOf(sure, {}, true)).toMatchObject({ signal: { signal: "SELL", pressure: -1 } });
  });

  it("is none once the time that it is of has passed", () => {
    expect(signalOf(classes, { rowAgeMs: 30_000 })).toEqual({ expired: 30_000 });
  });
});
