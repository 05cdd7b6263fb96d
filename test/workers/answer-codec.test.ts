/** The bytes of a forecast in the ledger: read wrongly they would be another forecast, and hostile ones must cost nothing. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ForecastAnswer } from "../../core/scoring/forecast-answer.ts";
import { decodeAnswer, encodeAnswer, LONGEST_HORIZON_MS } from "../../workers/ledger/answer-codec.ts";
import { answerOfClasses, answerOfMoves } from "../../workers/ledger/answer-of.ts";

const ANSWER: ForecastAnswer = {
  label: "anchored",
  horizons: [
    { horizonMs: 1_000, movesBps: { bid: null, mid: 0.5, ask: null }, interval: null, odds: null },
    {
      ...{ horizonMs: 300_000, movesBps: { bid: -1, mid: 2, ask: 0.25 } },
      ...{ interval: { lowBps: -4, highBps: 8 }, odds: { down: 0.25, up: 0.5, thresholdBps: 0.125 } },
    },
  ],
};
/** Worked out by hand: the head, two layouts, nine float32s. */
const BYTES = [
  ...[1, 1, 2, 1, 0, 2, 44, 1, 31],
  ...[0, 0, 0, 63],
  ...[0, 0, 128, 191, 0, 0, 0, 64, 0, 0, 128, 62],
  ...[0, 0, 128, 192, 0, 0, 0, 65],
  ...[0, 0, 128, 62, 0, 0, 0, 63, 0, 0, 0, 62],
];

describe("an answer's bytes", () => {
  it("are what the layout says, to the byte", () => {
    expect([...encodeAnswer(ANSWER)]).toEqual(BYTES);
    expect(decodeAnswer(Uint8Array.from(BYTES))).toEqual(ANSWER);
    // Also out of the middle of a buffer.
    expect(decodeAnswer(Uint8Array.from([9, ...BYTES, 9]).subarray(1, BYTES.length + 1))).toEqual(ANSWER);
  });

  it("come back as they went in, whatever is in them", () => {
    const float = fc
      .float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e6), max: Math.fround(1e6) })
      .map((value) => value + 0);
    const orNull = fc.option(float);
    const horizon = fc.record({
      horizonMs: fc.integer({ min: 1, max: 65_535 }).map((steps) => steps * 1_000),
      movesBps: fc.record({ bid: orNull, mid: float, ask: orNull }),
      interval: fc.option(fc.tuple(float, float).map(([one, other]) => ({ lowBps: Math.min(one, other), highBps: Math.max(one, other) }))),
      odds: fc.option(
        fc.tuple(fc.integer({ min: 0, max: 64 }), fc.integer({ min: 0, max: 64 }), float).map(([down, up, threshold]) => ({
          ...{ down: down / 128, up: up / 128, thresholdBps: Math.abs(threshold) },
        })),
      ),
    });
    const answer = fc.record({
      label: fc.constantFrom("point" as const, "anchored" as const),
      horizons: fc
        .uniqueArray(horizon, { minLength: 1, maxLength: 12, selector: ({ horizonMs }) => horizonMs })
        .map((horizons) => horizons.toSorted((one, other) => one.horizonMs - other.horizonMs)),
    });
    fc.assert(
      fc.property(answer, (made) => {
        expect(decodeAnswer(encodeAnswer(made))).toEqual(made);
      }),
    );
  });

  it.each<[string, number[]]>([
    ["none at all", []],
    ["of another format", [2, ...BYTES.slice(1)]],
    ["of a label that is never served", [1, 2, ...BYTES.slice(2)]],
    ["of no horizons", [1, 0, 0]],
    ["of more horizons than bytes", [1, 0, 100, 1, 0, 2]],
    ["of more horizons than any model has", [1, 0, 101, ...Array<number>(2_000).fill(1)]],
    ["cut short", BYTES.slice(0, -1)],
    ["too long", [...BYTES, 0]],
    ["with parts that nobody knows", [1, 0, 1, 1, 0, 34, 0, 0, 0, 63]],
    ["of a horizon without a word", [1, 0, 1, 1, 0, 0]],
    ["of a horizon of nothing", [1, 0, 1, 0, 0, 2, 0, 0, 0, 63]],
    ["of horizons out of order", [1, 0, 2, 2, 0, 2, 1, 0, 2, 0, 0, 0, 63, 0, 0, 0, 63]],
    ["that say infinity", [1, 0, 1, 1, 0, 2, 0, 0, 128, 127]],
    ["with an interval that ends before it begins", [1, 0, 1, 1, 0, 8, 0, 0, 0, 63, 0, 0, 0, 0]],
    ["with odds above one", [1, 0, 1, 1, 0, 16, 0, 0, 64, 63, 0, 0, 0, 63, 0, 0, 0, 0]],
    ["with odds below none", [1, 0, 1, 1, 0, 16, 0, 0, 64, 191, 0, 0, 0, 63, 0, 0, 0, 0]],
  ])("%s are refused", (_, bytes) => {
    expect(decodeAnswer(Uint8Array.from(bytes))).toHaveProperty("malformed");
  });

  it("that were changed anywhere are refused or read, never thrown at", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(BYTES.length - 1), fc.nat(255), (noise, at, byte) => {
        decodeAnswer(noise);
        decodeAnswer(Uint8Array.from(BYTES.with(at, byte)));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, ForecastAnswer["horizons"]]>([
    ["no horizons", []],
    ["a horizon off the grid", [{ horizonMs: 1_500, movesBps: { bid: null, mid: 1, ask: null }, interval: null, odds: null }]],
    [
      "a horizon beyond the layout",
      [{ horizonMs: LONGEST_HORIZON_MS + 1_000, movesBps: { bid: null, mid: 1, ask: null }, interval: null, odds: null }],
    ],
    ["a horizon that is there twice", [...ANSWER.horizons.slice(0, 1), ...ANSWER.horizons]],
    ["a horizon without a word", [{ horizonMs: 1_000, movesBps: { bid: null, mid: null, ask: null }, interval: null, odds: null }]],
    ["what is no number", [{ horizonMs: 1_000, movesBps: { bid: null, mid: Number.NaN, ask: null }, interval: null, odds: null }]],
    ["what float32 can't hold", [{ horizonMs: 1_000, movesBps: { bid: null, mid: 1e39, ask: null }, interval: null, odds: null }]],
  ])("are not made of %s", (_, horizons) => {
    expect(() => encodeAnswer({ label: "point", horizons })).toThrow(RangeError);
  });
});

describe("what is kept of a prediction", () => {
  const columns = [
    { target: "mid", horizonMs: 5_000 },
    { target: "bid", horizonMs: 1_000 },
    { target: "mid", horizonMs: 1_000 },
    { target: "mid", horizonMs: 1_000, market: "binance-spot:OTHER" },
    { target: "ask", horizonMs: 1_500 },
  ] as const;
  const calibrated = [{ horizonMs: 5_000, lowBps: -1, highBps: 2, down: 0.1, flat: 0.3, up: 0.6, thresholdBps: 0.2 }];

  it("is its own market's moves, horizons rising, with what the calibration says of the mid", () => {
    expect(answerOfMoves({ label: "point", columns, movesBps: [5, 1, 2, 99, 7], calibrated })).toEqual({
      label: "point",
      horizons: [
        { horizonMs: 1_000, movesBps: { bid: 1, mid: 2, ask: null }, interval: null, odds: null },
        {
          ...{ horizonMs: 5_000, movesBps: { bid: null, mid: 5, ask: null } },
          ...{ interval: { lowBps: -1, highBps: 2 }, odds: { down: 0.1, up: 0.6, thresholdBps: 0.2 } },
        },
      ],
    });
  });

  it("is nothing where nothing could be scored", () => {
    expect(answerOfMoves({ label: "smoothed", columns, movesBps: [5, 1, 2, 99, 7], calibrated: null })).toBeNull();
    expect(answerOfMoves({ label: "point", columns: columns.slice(3), movesBps: [99, 7], calibrated: null })).toBeNull();
  });

  it("of classes is the odds of the mid's moves, and of no other question", () => {
    const group = { asks: "move", target: "mid", horizonMs: 5_000, labels: ["down", "flat", "up"], thresholdBps: 0.5 } as const;
    const groups = [
      { ...group, asks: "next-change", labels: ["down", "up"], probabilities: [0.5, 0.5] } as const,
      { ...group, probabilities: [0.2, 0.3, 0.5] },
      { ...group, horizonMs: 1_000, labels: ["up", "flat", "down"], probabilities: [0.2, 0.3, 0.5] },
    ];
    expect(answerOfClasses({ label: "anchored", groups })).toEqual({
      label: "anchored",
      horizons: [
        {
          ...{ horizonMs: 5_000, movesBps: { bid: null, mid: null, ask: null }, interval: null },
          odds: { down: 0.2, up: 0.5, thresholdBps: 0.5 },
        },
      ],
    });
    expect(answerOfClasses({ label: "anchored", groups: groups.slice(0, 1) })).toBeNull();
  });
});
