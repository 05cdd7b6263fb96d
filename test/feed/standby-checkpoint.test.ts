/**
 * Checkpoints that are written while the next connection is open. Losses prevented: a replay that begins at one and breaks at once, since what its decoder
 * was told to remember is another connection's; a sound day that `verify` calls a broken one.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { TapeRecord } from "../../core/wire/tape.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import { bitmex } from "../../exchanges/bitmex/bitmex.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import { decodeCheckpoint } from "../../feed/checkpoint.ts";
import type { GapRecord } from "../../feed/contract.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { depthFrame, instrument, START, snapshotBody } from "./scripted-venue.ts";

const SYMBOL = "XBTUSD";
const timestamp = "2026-01-05T12:00:10.000Z";

interface Row {
  readonly id: number;
  readonly side: "Buy" | "Sell";
  readonly size: number;
  readonly price: number;
}

const BASE: readonly Row[] = [
  { id: 1, side: "Buy", size: 10, price: 100 },
  { id: 2, side: "Sell", size: 10, price: 101 },
];

function message(action: "partial" | "insert" | "update" | "delete", rows: readonly Row[]): string {
  const data = rows.map((row) => ({ symbol: SYMBOL, pool: "Primary", timestamp, ...row }));
  const filter = action === "partial" ? { keys: ["symbol"], filter: { symbol: SYMBOL } } : {};
  return JSON.stringify({ table: "orderBookL2", action, ...filter, data });
}

/** A level of its own comes, changes, and goes: no two states of the book are equal, and each message needs the one before. */
function changeOf(index: number): readonly [action: "insert" | "update" | "delete", row: Row] {
  const id = 100 + Math.floor(index / 3);
  const action = (["insert", "update", "delete"] as const)[index % 3] ?? "insert";
  return [index % 9 === 8 || action !== "delete" ? action : "update", { id, side: "Buy", size: index + 1, price: 90 - (id - 100) / 4 }];
}

function change(index: number): string {
  const [action, row] = changeOf(index);
  return message(action, [row]);
}

function image(changes: number): string {
  const rows = new Map(BASE.map((row) => [row.id, row]));
  for (let index = 0; index < changes; index++) {
    const [action, row] = changeOf(index);
    if (action === "delete") rows.delete(row.id);
    else rows.set(row.id, row);
  }
  return message("partial", [...rows.values()]);
}

function feedOf(adapter: ExchangeAdapter, frames: "whole" | "one-market" = "whole"): FeedReducer {
  const { tick, lot } = instrument("");
  const symbol = adapter === bitmex ? SYMBOL : "AAAUSDT";
  return new FeedReducer({ adapter, instruments: [{ venue: adapter.venue, symbol, tick, lot }], featureSet: featureSetV1, frames });
}

function stateOf(feed: FeedReducer): unknown {
  return [...feed.markets.values()].map(({ state, lastSequence, book, gaps, checkpointMismatches, malformedFrames }) => [
    [state, lastSequence, book.contentHash(), gaps.current?.reason ?? null, checkpointMismatches, malformedFrames],
  ]);
}

/** Gives a feed all records but the last `after`, takes its checkpoint, and sees a replay from there and one of all be the feed at each of those. */
function expectReplaysEqual(
  adapter: ExchangeAdapter,
  records: readonly TapeRecord[],
  after: number,
): { body: string; gaps: readonly GapRecord[] } {
  const feed = feedOf(adapter);
  const whole = feedOf(adapter, "one-market");
  for (const record of records.slice(0, records.length - after)) for (const each of [feed, whole]) each.record(record);
  const symbol = [...feed.markets.keys()][0] ?? "";
  const body = feed.takeCheckpoint(symbol) ?? "";
  const replay = feedOf(adapter, "one-market");
  for (const each of [replay, whole]) each.record({ kind: "checkpoint", receivedAt: feed.now, symbol, body });
  expect([stateOf(replay), stateOf(whole)]).toEqual([stateOf(feed), stateOf(feed)]);
  for (const record of records.slice(records.length - after)) {
    for (const each of [feed, whole, replay]) each.record(record);
    expect([record, stateOf(replay), stateOf(whole)]).toEqual([record, stateOf(feed), stateOf(feed)]);
  }
  return { body, gaps: feed.takeGapChanges() };
}

function frame(text: string, receivedAt: number): TapeRecord {
  return { kind: "frame", receivedAt, text };
}

function standbyFrame(text: string, receivedAt: number): TapeRecord {
  return { kind: "standby-frame", receivedAt, text };
}

const AT = START + 10_000;

describe("a checkpoint of a market whose book is the next connection's already", () => {
  const records: readonly TapeRecord[] = [
    { kind: "open", receivedAt: START, connection: "1" },
    frame(image(0), START + 100),
    ...Array.from({ length: 9 }, (_, index) => frame(change(index), START + 200 + index)),
    { kind: "standby-open", receivedAt: AT, connection: "2" },
    standbyFrame(image(9), AT + 100),
    standbyFrame(change(9), AT + 110),
    // Here.
    frame(change(9), AT + 200),
    standbyFrame(change(10), AT + 210),
    frame(change(10), AT + 220),
    { kind: "takeover", receivedAt: AT + 300, connection: "2: rotated" },
    frame(change(11), AT + 400),
    frame(change(12), AT + 500),
  ];

  it("has the memory of that one's decoder, and a replay goes on from it, through the takeover", () => {
    const { body, gaps } = expectReplaysEqual(bitmex, records, 6);
    expect(gaps).toEqual([]);
    const checkpoint = decodeCheckpoint(body);
    if ("malformed" in checkpoint) throw new Error(checkpoint.malformed);
    expect(checkpoint).toMatchObject({ lastSequence: 1, standby: { openedAt: AT, isJoined: true, next: null, ahead: [] } });
    expect(JSON.parse(checkpoint.memory ?? "")).toMatchObject({ count: 1 });
  });

  it("goes back with the book to the connection that is left: nothing of the one that is gone is remembered", () => {
    const lost: TapeRecord = { kind: "standby-down", receivedAt: AT + 150, reason: "1006" };
    const feed = feedOf(bitmex);
    for (const record of [
      ...records.slice(0, -6),
      lost,
      frame(image(10), AT + 200),
      frame(change(10), AT + 210),
      frame(change(11), AT + 220),
    ])
      feed.record(record);
    const checkpoint = decodeCheckpoint(feed.takeCheckpoint(SYMBOL) ?? "");
    if ("malformed" in checkpoint) throw new Error(checkpoint.malformed);
    expect(checkpoint).toMatchObject({ lastSequence: 2, standby: null });
    expect(JSON.parse(checkpoint.memory ?? "")).toMatchObject({ count: 2 });
  });
});

describe("a checkpoint of a market whose two books have not met", () => {
  it("begins their comparison anew: the feed and a replay from there find the same difference at the same message", () => {
    const other = message("partial", [...BASE, { id: 9, side: "Buy", size: 7, price: 50 }]);
    const records: TapeRecord[] = [
      { kind: "open", receivedAt: START, connection: "1" },
      frame(image(0), START + 100),
      { kind: "standby-open", receivedAt: AT, connection: "2" },
      standbyFrame(other, AT + 100),
    ];
    for (let second = 1; second <= 16; second++)
      records.push(frame(change(second - 1), AT + second * 1_000), standbyFrame(change(second - 1), AT + second * 1_000));
    // The checkpoint is at the fourth second, the next look at the fifth, the judgement ten seconds after that.
    const { gaps } = expectReplaysEqual(bitmex, records, 24);
    expect(gaps).toMatchObject([{ reason: "snapshot-differs", to: AT + 15_000 }]);
  });

  it("begins the wait for the present connection anew where books are numbered", () => {
    const ahead = (index: number, at: number) => standbyFrame(depthFrame({ from: 110 + index, time: START }), at);
    const records: TapeRecord[] = [
      { kind: "open", receivedAt: START, connection: "1" },
      frame(depthFrame({ from: 101, time: START }), START + 1),
      { kind: "snapshot", receivedAt: START + 2, symbol: "AAAUSDT", body: snapshotBody(100) },
      { kind: "standby-open", receivedAt: AT, connection: "2" },
      ahead(0, AT + 100),
      ahead(1, AT + 4_000),
      ahead(2, AT + 9_000),
      ahead(3, AT + 9_001),
    ];
    const { gaps } = expectReplaysEqual(binanceSpot, records, 2);
    expect(gaps).toMatchObject([{ reason: "sequence-gap", detail: "message 110-110 does not follow 101" }]);
  });
});

describe("a replay that begins at any moment of a rotation", () => {
  const lags = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 60, maxLength: 60 });

  it.each([bitmex, binanceSpot])("has the book of the feed at each message from there on: $venue", (adapter) => {
    const scenario = fc.record({
      mainLags: lags,
      standbyLags: lags,
      opensAt: fc.integer({ min: 1, max: 15 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(scenario, ({ mainLags, standbyLags, opensAt, share }) => {
        const records = rotation(adapter, { mainLags, standbyLags, opensAt });
        const opened = records.findIndex(({ kind }) => kind === "standby-open");
        const after = Math.floor((records.length - opened - 1) * share);
        expect(expectReplaysEqual(adapter, records, after).gaps).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  /** Sixty changes on two connections, each late by its own lag, the next one taking over once the books have met. */
  function rotation(
    adapter: ExchangeAdapter,
    { mainLags, standbyLags, opensAt }: { mainLags: readonly number[]; standbyLags: readonly number[]; opensAt: number },
  ): TapeRecord[] {
    const isNumbered = adapter === binanceSpot;
    const text = (index: number) =>
      isNumbered ? depthFrame({ from: 102 + index, time: START, bids: [[`9.${10 + index}`, `${index + 1}.000`]] }) : change(index);
    const begun: TapeRecord[] = isNumbered
      ? [
          frame(depthFrame({ from: 101, time: START }), START + 1),
          { kind: "snapshot", receivedAt: START + 2, symbol: "AAAUSDT", body: snapshotBody(100) },
        ]
      : [frame(image(0), START + 1)];
    const arrivals: { at: number; isStandby: boolean; texts: string[] }[] = [];
    let main = 0;
    let standby = 0;
    for (let index = 0; index < 60; index++) {
      const sentAt = START + 1_000 + index * 100;
      main = Math.max(main + 1, sentAt + (mainLags[index] ?? 0));
      arrivals.push({ at: main, isStandby: false, texts: [text(index)] });
      if (index < opensAt) continue;
      standby = Math.max(standby + 1, sentAt + (standbyLags[index] ?? 0));
      arrivals.push({
        at: standby,
        isStandby: true,
        texts: index === opensAt && !isNumbered ? [image(index), text(index)] : [text(index)],
      });
    }
    const feed = feedOf(adapter);
    const records: TapeRecord[] = [];
    const give = (record: TapeRecord) => {
      feed.record(record);
      records.push(record);
    };
    give({ kind: "open", receivedAt: START, connection: "1" });
    for (const record of begun) give(record);
    let isOver = false;
    for (const { at, isStandby, texts } of arrivals.toSorted((left, right) => left.at - right.at)) {
      if (!isOver && feed.standbyState(at) === "none" && at >= START + 1_000 + opensAt * 100)
        give({ kind: "standby-open", receivedAt: at, connection: "2" });
      if (isOver && !isStandby) continue;
      for (const each of texts) give(isStandby && !isOver ? standbyFrame(each, at) : frame(each, at));
      // The feed looks every second.
      if (isOver || at % 1_000 > 300 || feed.standbyState(at) !== "joined") continue;
      isOver = true;
      give({ kind: "takeover", receivedAt: at, connection: "2: rotated" });
    }
    return records;
  }
});

describe("a checkpoint with a standby that is none", () => {
  it.each([
    "1",
    "{}",
    '{"openedAt":1.5,"isJoined":true,"next":null,"ahead":[]}',
    '{"openedAt":1,"isJoined":true,"next":null}',
    '{"openedAt":1,"isJoined":true,"next":null,"ahead":[1]}',
    '{"openedAt":1,"isJoined":1,"next":null,"ahead":[]}',
    '{"openedAt":1,"isJoined":false,"next":1,"ahead":[]}',
    '{"openedAt":1,"isJoined":false,"next":{"lastSequence":1,"bids":[1],"asks":[],"memory":null},"ahead":[]}',
    '{"openedAt":1,"isJoined":false,"next":{"lastSequence":1,"bids":[],"asks":[],"memory":2},"ahead":[]}',
  ])("is refused: %s", (standby) => {
    const window = '"window":{"bidTicks":null,"askTicks":null,"confirmedAt":1}';
    expect(decodeCheckpoint(`{"lastSequence":1,"contentHash":"","bids":[1,1],"asks":[],${window},"standby":${standby}}`)).toHaveProperty(
      "malformed",
    );
  });
});
