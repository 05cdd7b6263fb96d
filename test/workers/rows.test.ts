/** What a feed recorded, as the rows that cron stores: a column that holds its neighbour's value is wrong for good, and nothing says so. */

import { describe, expect, it } from "vitest";
import type { MinuteSnapshot } from "../../feed/contract.ts";
import { gapRow, instrumentRow, snapshotRow } from "../../workers/cron/rows.ts";

const MINUTE = Date.UTC(2026, 0, 5, 12, 34);

/** 2026-01-05 is day 20,458, the eleventh of its cycle of twelve, after nine of training and one of validation. */
const splits = { trainDays: 9, validationDays: 1, testDays: 2, embargoMinutes: 30 };

/** No two columns alike, so that none can stand for another. */
const snapshot: MinuteSnapshot = {
  market: "binance-spot:BTCUSDT",
  instrument: { venue: "binance-spot", symbol: "BTCUSDT", tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 5, mantissa: 1 } },
  minute: MINUTE,
  state: "live",
  bookState: "normal",
  quote: { bidTicks: 6_000_000, bidLots: 100, askTicks: 6_000_001, askLots: 200 },
  bids: [
    [6_000_000, 100],
    [5_999_998, 7],
  ],
  asks: [[6_000_001, 200]],
  lastSequence: 41,
  bookHash: "0123456789abcdef",
  marketTime: MINUTE + 59_900,
  features: { featureTime: MINUTE + 59_000, fingerprint: "fedcba9876543210", row: [0.5, -0.25] },
  coveredMs: 58_000,
  events: 12,
  trades: 3,
  pricePath: "@1767614399/6000000/1",
};

describe("a minute's row", () => {
  it("holds each of the minute's values in its own column", () => {
    expect(snapshotRow({ snapshot, batch: "main/x", tape: { key: "tape/v2/x", offset: 5, bytes: 77 }, splits })).toEqual({
      market: "binance-spot:BTCUSDT",
      minute: MINUTE,
      batch: "main/x",
      tick: "0.01",
      lot: "0.00001",
      state: "live",
      bookState: "normal",
      bidTicks: 6_000_000,
      bidLots: 100,
      askTicks: 6_000_001,
      askLots: 200,
      bids: "[[6000000,100],[5999998,7]]",
      asks: "[[6000001,200]]",
      lastSequence: 41,
      bookHash: "0123456789abcdef",
      marketTime: MINUTE + 59_900,
      featureTime: MINUTE + 59_000,
      fingerprint: "fedcba9876543210",
      features: "[0.5,-0.25]",
      coveredMs: 58_000,
      events: 12,
      trades: 3,
      tapeKey: "tape/v2/x",
      tapeOffset: 5,
      tapeBytes: 77,
      split: "test",
      splitSchedule: "days-9-1-2-embargo-30min",
      pricePath: "@1767614399/6000000/1",
    });
  });

  it("of a book that wasn't live has null for what wasn't known, never a number", () => {
    const unknown = {
      quote: null,
      bids: null,
      asks: null,
      lastSequence: null,
      bookHash: null,
      marketTime: null,
      features: null,
      pricePath: null,
    };
    const row = snapshotRow({ snapshot: { ...snapshot, ...unknown, state: "syncing", coveredMs: 0 }, batch: "main/x", tape: null, splits });
    expect(Object.entries(row).flatMap(([column, value]) => (value === null ? [column] : []))).toEqual([
      ...["bidTicks", "bidLots", "askTicks", "askLots", "bids", "asks", "lastSequence", "bookHash", "marketTime"],
      ...["featureTime", "fingerprint", "features", "tapeKey", "tapeOffset", "tapeBytes", "pricePath"],
    ]);
    expect(row).toMatchObject({ state: "syncing", coveredMs: 0, events: 12, trades: 3 });
  });
});

describe("a gap's row", () => {
  it("holds what the ledger holds", () => {
    const times = { from: MINUTE, to: MINUTE + 9 };
    const gap = { id: "a", market: "m", channel: "tape", ...times, reason: "tape-overflow", detail: "full", action: "dropped" } as const;
    expect(gapRow(gap)).toEqual(gap);
  });
});

describe("an instrument's row", () => {
  it("names its market, its feed and both grids", () => {
    expect(instrumentRow(snapshot.instrument, "main")).toEqual({
      market: "binance-spot:BTCUSDT",
      venue: "binance-spot",
      symbol: "BTCUSDT",
      feed: "main",
      tick: "0.01",
      lot: "0.00001",
    });
  });
});
