/**
 * Losses prevented: a fault that damages a book and is in no ledger; a gap that nothing explains, so that good data is thrown away; a book that stays wrong when
 * the faults are over. Six simulated minutes of twenty symbols over three venues; `npm run bench -- soak` runs six hours, and measures the heap.
 */

import { describe, expect, it } from "vitest";
import { type AuditedFeed, audit } from "../../bench/soak/ledger-audit.ts";
import { failuresOf, runSoak, type SoakReport, slopeOf } from "../../bench/soak/run-soak.ts";
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

const LOOK = { minute: 365, heapBytes: 40_000_000, equal: 20, notLive: 0, latent: [], wrong: [] };
/** Of a run in which all is well. */
const CLEAN: SoakReport = {
  options: { seed: 1, ratePerMinute: 20, minutes: 360 },
  simulatedSeconds: 21_900,
  wallSeconds: 300,
  cpuSeconds: 300,
  frames: 1,
  malformedFrames: 0,
  looks: [LOOK],
  heapSlope: null,
  ledger: { faults: new Map(), gaps: new Map(), missed: [], unexplained: [], racingHours: 79 },
  racing: { comparisons: 1, mismatches: 0 },
  faults: 0,
  gaps: 0,
  last: LOOK,
  hash: "",
};

describe("a soak", () => {
  it("leaves every book live and the truth, every fault that must show in the ledger, and no gap without its fault", async () => {
    const report = await runSoak({ seed: 3, ratePerMinute: 20, minutes: 6 });
    expect(failuresOf(report)).toEqual([]);
    expect(report.last).toMatchObject({ equal: 20, notLive: 0 });
    expect(report.faults).toBeGreaterThan(80);
    const shown = [...report.ledger.faults.values()].reduce((sum, count) => sum + count.shown, 0);
    expect(shown).toBeGreaterThan(40);
  }, 240_000);

  it("without any fault breaks no book, and has none contradicted: a quote may be of a moment inside a batch, which no book shows", async () => {
    const report = await runSoak({ seed: 12, ratePerMinute: 0, minutes: 2 });
    expect(failuresOf(report)).toEqual([]);
    expect([...report.ledger.gaps.keys()].filter((name) => !name.endsWith(" started"))).toEqual([]);
    expect(report.racing.comparisons).toBeGreaterThan(10_000);
    expect(report.racing.mismatches).toBe(0);
  }, 240_000);

  it("fails where quotes break right books more often than once in a hundred hours of a market", () => {
    const withAlarms = (falseAlarms: number, racingHours: number): SoakReport => ({
      ...CLEAN,
      ledger: { ...CLEAN.ledger, racingHours, gaps: new Map([["a", { explained: 0, falseAlarms, unexplained: 0 }]]) },
    });
    expect(failuresOf(CLEAN)).toEqual([]);
    expect(failuresOf(withAlarms(1, 100))).toEqual([]);
    expect(failuresOf(withAlarms(1, 99))).toEqual(["1 books were broken by quotes without any fault, in 99.0 hours of such markets"]);
  });
});

describe("the heap of a soak", () => {
  /** Six hours of looks: what is kept for good each hour, and how much comes and goes. */
  const looksOf = (bytesPerHour: number, swing: number) =>
    Array.from({ length: 180 }, (_, at) => {
      const minute = 2 * at + 2;
      return { minute, heapBytes: 40_000_000 + (minute / 60) * bytesPerHour + (at % 7 === 0 ? swing : 0) };
    });

  it("may grow by what the simulator keeps, with frames that wait now and then", () => {
    expect(failuresOf({ ...CLEAN, heapSlope: slopeOf(looksOf(360_000, 1_000_000)) })).toEqual([]);
  });

  it("fails where more is kept", () => {
    expect(failuresOf({ ...CLEAN, heapSlope: slopeOf(looksOf(1_200_000, 1_000_000)) })).toEqual([
      expect.stringMatching(/^the heap grows by \d{7} ± \d+ bytes an hour$/),
    ]);
  });

  it("fails where nobody could tell: noise is no proof", () => {
    expect(failuresOf({ ...CLEAN, heapSlope: slopeOf(looksOf(360_000, 20_000_000)) })).toEqual([
      expect.stringMatching(/^whether the heap grows can't be told/),
    ]);
  });

  it("is judged behind its first hour, and by an hour of looks at least", () => {
    expect(slopeOf(looksOf(0, 0).slice(0, 58))).toBeNull();
    const settling = looksOf(0, 0).map((look) => ({ ...look, heapBytes: look.heapBytes - (look.minute < 60 ? 5_000_000 : 0) }));
    expect(slopeOf(settling)?.bytesPerHour).toBeCloseTo(0, 3);
  });
});

describe("the audit of a ledger", () => {
  it("finds a fault and its gap to be one another's", () => {
    expect(audit([FEED], { ledger: [GAP], record: [DROP], hours: 1 })).toMatchObject({ missed: [], unexplained: [] });
  });

  it.each<[string, readonly GapRecord[]]>([
    ["in no gap at all", []],
    ["in another market's alone", [{ ...GAP, market: "binance-spot:ETHUSD" }]],
    ["before the gap began", [{ ...GAP, from: AT + 60 }]],
    ["after it ended", [{ ...GAP, to: AT + 40 }]],
  ])("misses a fault that is %s", (_, ledger) => {
    expect(audit([FEED], { ledger, record: [DROP], hours: 1 }).missed).toEqual([{ entry: DROP, market: "binance-spot:BTCUSD" }]);
  });

  it.each<[string, readonly FaultEntry[]]>([
    ["without any fault", []],
    ["of another market's fault", [{ ...DROP, symbol: "ETHUSD" }]],
    ["of a fault that leads to no such gap", [{ ...DROP, fault: "clock-skew", lost: [] }]],
    ["of a fault that came later", [{ ...DROP, at: AT + 1_002 }]],
  ])("does not explain a gap %s", (_, record) => {
    expect(audit([FEED], { ledger: [GAP], record, hours: 1 }).unexplained).toEqual([GAP]);
  });

  it("counts a quote that no top equalled without a fault by itself, where quotes have no numbers", () => {
    const gap: GapRecord = { ...GAP, reason: "quote-mismatch" };
    expect(audit([FEED], { ledger: [gap], record: [], hours: 1 }).unexplained).toEqual([gap]);
    const counted = audit([{ ...FEED, continuity: "none" }], { ledger: [gap], record: [], hours: 1 });
    expect(counted.unexplained).toEqual([]);
    expect(counted.gaps.get("binance-spot depth quote-mismatch")).toEqual({ explained: 0, falseAlarms: 1, unexplained: 0 });
  });

  it("knows that what is told behind a delay is received when that ends", () => {
    const delay: FaultEntry = { ...DROP, fault: "delay", at: AT - 2_000, until: AT + 100, lost: [] };
    const early: FaultEntry = { ...DROP, at: AT - 1_500 };
    expect(audit([FEED], { ledger: [{ ...GAP, from: AT + 100 }], record: [delay, early], hours: 1 })).toMatchObject({
      missed: [],
      unexplained: [],
    });
    expect(audit([FEED], { ledger: [{ ...GAP, from: AT + 100 }], record: [early], hours: 1 })).toMatchObject({
      missed: [{ entry: early }],
      unexplained: [{ id: "1" }],
    });
  });

  it("asks of a numbered connection that each of its books has the gap", () => {
    const feed: AuditedFeed = { ...FEED, continuity: "connection" };
    expect(audit([feed], { ledger: [GAP], record: [DROP], hours: 1 }).missed).toMatchObject([{ market: "binance-spot:ETHUSD" }]);
  });

  it("spares what was lost on one of two connections", () => {
    const feed: AuditedFeed = { ...FEED, standbySpans: [{ from: AT, to: AT + 5_000 }] };
    expect(audit([feed], { ledger: [], record: [DROP], hours: 1 }).missed).toEqual([]);
  });
});
