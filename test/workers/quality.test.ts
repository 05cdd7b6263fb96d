/** Coverage from plain data: a hole that is counted as covered, or a time that nobody could record counted as a hole, makes the number worthless. */

import { describe, expect, it } from "vitest";
import type { MarketStatus } from "../../feed/contract.ts";
import { marketQuality, minutesBetween } from "../../workers/api/views/quality.ts";
import type { QualityRange, StoredQuality } from "../../workers/storage/stored-quality.ts";

const MARKET = "binance-spot:BTCUSDT";
const MINUTE = 60_000;
const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 0, 5, 12);
const nothing: StoredQuality = { spans: [], buckets: [], gapCounts: [], longest: [], open: [] };
const range = (parts: Partial<QualityRange> = {}): QualityRange => ({
  from: NOON,
  to: NOON + 2 * HOUR,
  now: NOON + 6 * HOUR,
  bucketMs: HOUR,
  ...parts,
});
const status = {
  market: MARKET,
  state: "live",
  lastReceivedAt: NOON - 700,
  proof: {
    lastSequence: 41,
    unbrokenSince: NOON - 9_000,
    comparisons: 8,
    mismatches: 2,
    topLevels: { comparisons: 5, mismatches: 1 },
    audits: 5,
    lastAuditAt: NOON - 60_000,
    gaps24h: 3,
  },
} as unknown as MarketStatus;
const carried = { status, now: NOON };

function hour(index: number, minutes: number, coveredMs: number): StoredQuality["buckets"][number] {
  return { market: MARKET, start: NOON + index * HOUR, minutes, coveredMs, events: 10 * minutes, trades: minutes };
}

describe("the coverage of a market", () => {
  const spans = [{ market: MARKET, first: NOON - 3 * HOUR, firstCoveredMs: 60_000, last: NOON + 5 * HOUR }];

  it("is the covered share of the minutes that should be there, missing ones included, in the whole and in each bucket", () => {
    const stored = { ...nothing, spans, buckets: [hour(0, 60, 60 * MINUTE), hour(1, 45, 30 * MINUTE)] };
    expect(marketQuality(MARKET, range(), { stored, carried })).toMatchObject({
      ...{ coverage: 0.75, coveredMs: 90 * MINUTE, expectedMs: 120 * MINUTE, minutes: 105, expectedMinutes: 120, missingMinutes: 15 },
      recordedSince: NOON - 3 * HOUR,
      buckets: [
        { start: NOON, coverage: 1, coveredMs: 60 * MINUTE, minutes: 60, expectedMinutes: 60, events: 600, trades: 60 },
        { start: NOON + HOUR, coverage: 0.5, coveredMs: 30 * MINUTE, minutes: 45, expectedMinutes: 60, events: 450, trades: 45 },
      ],
    });
  });

  it("shows an hour of which nothing is stored as 0, not as an hour that wasn't", () => {
    const stored = { ...nothing, spans, buckets: [hour(1, 60, 60 * MINUTE)] };
    const { coverage, buckets } = marketQuality(MARKET, range(), { stored, carried });
    expect([coverage, buckets.map((each) => [each.coverage, each.minutes])]).toEqual([
      0.5,
      [
        [0, 0],
        [1, 60],
      ],
    ]);
  });

  it("begins with the first minute ever stored: before it there was nothing to miss", () => {
    const stored = {
      ...nothing,
      spans: [{ market: MARKET, first: NOON + 90 * MINUTE, firstCoveredMs: 60_000, last: NOON + 5 * HOUR }],
      buckets: [hour(1, 30, 30 * MINUTE)],
    };
    expect(marketQuality(MARKET, range(), { stored, carried })).toMatchObject({
      ...{ coverage: 1, expectedMinutes: 30, missingMinutes: 0 },
      buckets: [{ start: NOON + HOUR, coverage: 1, expectedMinutes: 30 }],
    });
  });

  it("asks of the first minute, within which recording began, for what was covered: a new market has missed nothing", () => {
    const first = { market: MARKET, first: NOON + 118 * MINUTE, firstCoveredMs: 20_000, last: NOON + 5 * HOUR };
    const whole = marketQuality(MARKET, range(), { stored: { ...nothing, spans: [first], buckets: [hour(1, 2, 80_000)] }, carried });
    expect(whole).toMatchObject({
      coverage: 1,
      coveredMs: 80_000,
      expectedMs: 80_000,
      expectedMinutes: 2,
      buckets: [{ coverage: 1, expectedMs: 80_000 }],
    });
    // Not of the second, and not where the first lies before the range.
    const later = marketQuality(MARKET, range({ from: NOON + 119 * MINUTE }), {
      stored: { ...nothing, spans: [first], buckets: [hour(1, 1, 15_000)] },
      carried,
    });
    expect(later).toMatchObject({ coverage: 0.25, expectedMs: 60_000 });
    const nought = { ...first, firstCoveredMs: 0, last: first.first };
    const none = marketQuality(MARKET, range(), { stored: { ...nothing, spans: [nought], buckets: [hour(1, 1, 0)] }, carried: null });
    expect(none).toMatchObject({ coverage: null, expectedMs: 0, minutes: 1 });
  });

  it("of a market never stored is unknown, which is neither 0 nor 1", () => {
    const stored = { ...nothing, spans: [{ market: MARKET, first: null, firstCoveredMs: null, last: null }] };
    const quality = marketQuality(MARKET, range(), { stored, carried: { status: undefined, now: NOON } });
    expect(quality).toMatchObject({
      coverage: null,
      recordedSince: null,
      expectedMinutes: 0,
      buckets: [],
      state: "disconnected",
      proof: null,
    });
  });

  it("doesn't ask for minutes that are still to come, nor for the one that cron is about to store", () => {
    // Half past one and some seconds: 13:28 was the last that must be there.
    const now = NOON + 90 * MINUTE + 5_000;
    const stored = { ...nothing, spans: [{ market: MARKET, first: NOON, firstCoveredMs: 60_000, last: NOON + 88 * MINUTE }] };
    expect(marketQuality(MARKET, range({ now, to: NOON + 6 * HOUR }), { stored, carried })).toMatchObject({ expectedMinutes: 89 });
    // Stored sooner than it must be, it is one more; and a feed that stopped long ago is no excuse.
    const soon = { ...stored, spans: [{ market: MARKET, first: NOON, firstCoveredMs: 60_000, last: NOON + 89 * MINUTE }] };
    expect(marketQuality(MARKET, range({ now, to: NOON + 6 * HOUR }), { stored: soon, carried })).toMatchObject({ expectedMinutes: 90 });
    const dead = { ...stored, spans: [{ market: MARKET, first: NOON, firstCoveredMs: 60_000, last: NOON + 10 * MINUTE }] };
    expect(marketQuality(MARKET, range({ now }), { stored: dead, carried })).toMatchObject({ expectedMinutes: 89, missingMinutes: 89 });
  });

  it("of a market that is no longer carried ends with its last minute", () => {
    const stored = {
      ...nothing,
      spans: [{ market: MARKET, first: NOON, firstCoveredMs: 60_000, last: NOON + 59 * MINUTE }],
      buckets: [hour(0, 60, 60 * MINUTE)],
    };
    expect(marketQuality(MARKET, range(), { stored, carried: null })).toMatchObject({
      ...{ isCarried: false, state: null, coverage: 1, expectedMinutes: 60, proof: null, staleness: null },
      buckets: [{ start: NOON }],
    });
  });

  it("counts whole minutes by where they begin, in a range that begins and ends anywhere", () => {
    expect(minutesBetween(NOON, NOON + MINUTE)).toBe(1);
    expect(minutesBetween(NOON + 1, NOON + MINUTE)).toBe(0);
    expect(minutesBetween(NOON + 1, NOON + MINUTE + 1)).toBe(1);
    expect(minutesBetween(NOON, NOON - MINUTE)).toBe(0);
    const stored = { ...nothing, spans };
    expect(marketQuality(MARKET, range({ from: NOON + 30_000, to: NOON + 10 * MINUTE + 1 }), { stored, carried })).toMatchObject({
      expectedMinutes: 10,
      buckets: [{ start: NOON, expectedMinutes: 10 }],
    });
  });
});

describe("what is said of the live book", () => {
  it("is its proof with the share of comparisons that failed, and its age by the feed's clock", () => {
    expect(marketQuality(MARKET, range(), { stored: nothing, carried })).toMatchObject({
      state: "live",
      proof: {
        comparisons: 8,
        mismatches: 2,
        mismatchRate: 0.25,
        topLevels: { comparisons: 5, mismatches: 1 },
        audits: 5,
        lastAuditAt: NOON - 60_000,
        lastSequence: 41,
        unbrokenSince: NOON - 9_000,
        gaps24h: 3,
      },
      staleness: { lastReceivedAt: NOON - 700, ageMs: 700 },
    });
  });

  it("has no mismatch rate where nothing was compared, and no age where nothing came", () => {
    const silent = { ...status, lastReceivedAt: null, proof: { ...status.proof, comparisons: 0, mismatches: 0 } };
    expect(marketQuality(MARKET, range(), { stored: nothing, carried: { status: silent, now: NOON } })).toMatchObject({
      proof: { mismatchRate: null },
      staleness: { lastReceivedAt: null, ageMs: null },
    });
  });

  it("is nothing when the feed does not answer: no proof is not a proof of nothing", () => {
    expect(marketQuality(MARKET, range(), { stored: nothing, carried: { status: null, now: 0 } })).toMatchObject({
      ...{ state: "unreachable", isCarried: true, proof: null, staleness: null },
    });
  });
});

describe("the gaps of a market", () => {
  it("are its own: those of its neighbours are not counted with them", () => {
    const kind = { channel: "depth", reason: "stale" } as const;
    const gap = { id: "a", market: MARKET, ...kind, from: 1, to: null, detail: "", action: "pending" } as const;
    const stored: StoredQuality = {
      ...nothing,
      gapCounts: [
        { market: MARKET, ...kind, count: 2, totalMs: 500 },
        { market: MARKET, channel: "connection", reason: "rotation", count: 1, totalMs: 100 },
        { market: "binance-spot:ETHUSDT", ...kind, count: 9, totalMs: 9_000 },
      ],
      longest: [
        { ...gap, market: "binance-spot:ETHUSDT", lengthMs: 9_000 },
        { ...gap, lengthMs: 400 },
      ],
      open: [{ ...gap, market: "binance-spot:ETHUSDT" }, gap],
    };
    expect(marketQuality(MARKET, range(), { stored, carried }).gaps).toEqual({
      count: 3,
      totalMs: 600,
      counts: [
        { ...kind, count: 2, totalMs: 500 },
        { channel: "connection", reason: "rotation", count: 1, totalMs: 100 },
      ],
      longest: { ...gap, lengthMs: 400 },
      open: [gap],
    });
  });
});
