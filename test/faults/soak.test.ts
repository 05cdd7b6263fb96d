/**
 * Losses prevented: a fault that damages a book and is in no ledger; a gap that nothing explains, so that good data is thrown away; a book that stays wrong when
 * the faults are over. Six simulated minutes of twenty symbols over three venues; `npm run bench -- soak` runs six hours, and measures the heap.
 */

import { describe, expect, it } from "vitest";
import { type AuditedFeed, audit } from "../../bench/soak/ledger-audit.ts";
import { failuresOf, runSoak } from "../../bench/soak/run-soak.ts";
import type { FaultEntry } from "../../exchange-simulator/faults/record.ts";
import type { GapRecord } from "../../feed/contract.ts";

const AT = Date.UTC(2026, 0, 5, 12);
const FEED: AuditedFeed = {
  venue: "binance-spot",
  symbols: ["BTCUSD", "ETHUSD"],
  continuity: "book",
  tradeIds: "consecutive",
  standbySpans: [],
};
const GAP: GapRecord = {
  id: "1",
  market: "binance-spot:BTCUSD",
  channel: "depth",
  from: AT,
  to: AT + 1_000,
  reason: "sequence-gap",
  detail: "",
  action: "resynced",
};
const DROP: FaultEntry = {
  number: 1,
  at: AT + 50,
  until: null,
  fault: "drop",
  order: 1,
  venue: "binance-spot",
  symbol: "BTCUSD",
  channel: "depth",
  connection: 1,
  frame: 1,
  lost: [{ symbol: "BTCUSD", channel: "depth", frames: 1, first: 1, last: 1 }],
  detail: "",
};

describe("a soak", () => {
  it("leaves every book live and the truth, every fault that must show in the ledger, and no gap without its fault", async () => {
    const report = await runSoak({ seed: 3, ratePerMinute: 20, minutes: 6 });
    expect(failuresOf(report)).toEqual([]);
    expect(report.last).toMatchObject({ equal: 20, notLive: 0 });
    expect(report.faults).toBeGreaterThan(80);
    const shown = [...report.ledger.faults.values()].reduce((sum, count) => sum + count.shown, 0);
    expect(shown).toBeGreaterThan(40);
  }, 120_000);
});

describe("the audit of a ledger", () => {
  it("finds a fault and its gap to be one another's", () => {
    expect(audit([FEED], [GAP], [DROP])).toMatchObject({ missed: [], unexplained: [] });
  });

  it.each<[string, readonly GapRecord[]]>([
    ["in no gap at all", []],
    ["in another market's alone", [{ ...GAP, market: "binance-spot:ETHUSD" }]],
    ["before the gap began", [{ ...GAP, from: AT + 60 }]],
    ["after it ended", [{ ...GAP, to: AT + 40 }]],
  ])("misses a fault that is %s", (_, ledger) => {
    expect(audit([FEED], ledger, [DROP]).missed).toEqual([{ entry: DROP, market: "binance-spot:BTCUSD" }]);
  });

  it.each<[string, readonly FaultEntry[]]>([
    ["without any fault", []],
    ["of another market's fault", [{ ...DROP, symbol: "ETHUSD" }]],
    ["of a fault that leads to no such gap", [{ ...DROP, fault: "clock-skew", lost: [] }]],
    ["of a fault that came later", [{ ...DROP, at: AT + 1_002 }]],
  ])("does not explain a gap %s", (_, record) => {
    expect(audit([FEED], [GAP], record).unexplained).toEqual([GAP]);
  });

  it("counts a quote that no top equalled without a fault by itself, where quotes have no numbers", () => {
    const gap: GapRecord = { ...GAP, reason: "quote-mismatch" };
    expect(audit([FEED], [gap], []).unexplained).toEqual([gap]);
    const counted = audit([{ ...FEED, continuity: "none" }], [gap], []);
    expect(counted.unexplained).toEqual([]);
    expect(counted.gaps.get("binance-spot depth quote-mismatch")).toEqual({ explained: 0, falseAlarms: 1, unexplained: 0 });
  });

  it("knows that what is told behind a delay is received when that ends", () => {
    const delay: FaultEntry = { ...DROP, fault: "delay", at: AT - 2_000, until: AT + 100, lost: [] };
    const early: FaultEntry = { ...DROP, at: AT - 1_500 };
    expect(audit([FEED], [{ ...GAP, from: AT + 100 }], [delay, early])).toMatchObject({ missed: [], unexplained: [] });
    expect(audit([FEED], [{ ...GAP, from: AT + 100 }], [early])).toMatchObject({ missed: [{ entry: early }], unexplained: [{ id: "1" }] });
  });

  it("asks of a numbered connection that each of its books has the gap", () => {
    const feed: AuditedFeed = { ...FEED, continuity: "connection" };
    expect(audit([feed], [GAP], [DROP]).missed).toMatchObject([{ market: "binance-spot:ETHUSD" }]);
  });

  it("spares what was lost on one of two connections", () => {
    const feed: AuditedFeed = { ...FEED, standbySpans: [{ from: AT, to: AT + 5_000 }] };
    expect(audit([feed], [], [DROP]).missed).toEqual([]);
  });
});
