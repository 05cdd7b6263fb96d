/**
 * Live views, from plain data alone: a size, a time or a side that is another's would be served as truth, in the right format. Stored ones
 * are in test/workerd/storage.test.ts.
 */

import { describe, expect, it } from "vitest";
import type { BookView, QuoteAnswer } from "../../feed/contract.ts";
import { bookBody, quoteBody } from "../../workers/api/views/live.ts";

const NOW = Date.UTC(2026, 0, 5, 12, 34, 56);
const MARKET = "binance-spot:BTCUSDT";
const instrument = {
  venue: "binance-spot",
  symbol: "BTCUSDT",
  tick: { decimals: 2, mantissa: 1 },
  lot: { decimals: 5, mantissa: 1 },
};
const BID = { price: "60000.00", size: "0.00100", priceTicks: 6_000_000, sizeLots: 100 };
const NEXT_BID = { price: "59999.98", size: "0.00007", priceTicks: 5_999_998, sizeLots: 7 };
const ASK = { price: "60000.01", size: "0.00200", priceTicks: 6_000_001, sizeLots: 200 };

describe("a quote", () => {
  const answer: QuoteAnswer = {
    ok: true,
    market: MARKET,
    instrument,
    now: NOW,
    receivedAt: NOW - 250,
    marketTime: NOW - 300,
    source: "venue-quote",
    sequence: 41,
    bidTicks: 6_000_000,
    bidLots: 100,
    askTicks: 6_000_001,
    askLots: 200,
  };

  it("gives each side its own price and size, and its age by the feed's clock", () => {
    expect(quoteBody(answer)).toEqual({
      market: MARKET,
      bid: BID,
      ask: ASK,
      mid: "60000.005",
      source: "venue-quote",
      sequence: 41,
      freshness: { receivedAt: NOW - 250, ageMs: 250, marketTime: NOW - 300 },
    });
  });

  it("with an empty side has neither that side nor a mid", () => {
    expect(quoteBody({ ...answer, askTicks: null, askLots: null })).toMatchObject({ bid: BID, ask: null, mid: null });
  });
});

describe("a book", () => {
  const proof = {
    lastSequence: 41,
    unbrokenSince: NOW - 9_000,
    continuity: "book" as const,
    comparisons: 3,
    mismatches: 0,
    topLevels: null,
    audits: 0,
    lastAuditAt: null,
    gaps24h: 1,
  };
  const view: BookView = {
    ok: true,
    market: MARKET,
    instrument,
    now: NOW,
    receivedAt: NOW - 40,
    marketTime: NOW - 60,
    state: "normal",
    bids: [
      [6_000_000, 100],
      [5_999_998, 7],
    ],
    asks: [[6_000_001, 200]],
    completeTo: { bidTicks: 5_999_998, askTicks: null },
    contentHash: "0123456789abcdef",
    proof,
  };

  it("says down to which price it is complete, so that a cut side isn't taken for an empty market beyond", () => {
    expect(bookBody(view)).toEqual({
      market: MARKET,
      state: "normal",
      mid: "60000.005",
      bids: [BID, NEXT_BID],
      asks: [ASK],
      completeTo: { bid: "59999.98", ask: null },
      contentHash: "0123456789abcdef",
      proof,
      freshness: { receivedAt: NOW - 40, ageMs: 40, marketTime: NOW - 60 },
    });
    const cutAbove = bookBody({ ...view, completeTo: { bidTicks: null, askTicks: 6_000_001 } });
    expect(cutAbove.completeTo).toEqual({ bid: null, ask: "60000.01" });
  });
});
