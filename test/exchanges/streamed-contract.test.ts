/** What every adapter of the registry must do whose books begin on the stream (see contract.test.ts for the others). */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import { featureSets } from "../../core/features/registry.ts";
import type { MarketEvent } from "../../core/market/event.ts";
import { marketId, parseMarketId } from "../../core/market/instrument.ts";
import type { BookSequencer, Decoded, Decoder, ExchangeAdapter, LossNotice } from "../../exchanges/contract.ts";
import { adapters } from "../../exchanges/registry.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { type StreamedFixture, streamedFixtureOf } from "./streamed-fixtures.ts";

type Item = MarketEvent | LossNotice;

/** All that a frame says, copied out of the decoder's buffers. */
function itemsOf(decoded: Decoded): Item[] {
  if (decoded.kind === "event") return [structuredClone(decoded.event)];
  if (decoded.kind !== "events") return [];
  const items: Item[] = [];
  for (let item = decoded.next(); item !== null; item = decoded.next()) items.push(structuredClone(item));
  return items;
}

/** A feed's part of the work, done plainly. */
class Session {
  readonly book = new OrderBook();
  readonly sequencer: BookSequencer;
  readonly decoder: Decoder;
  readonly verdicts: unknown[] = [];
  readonly connection: (number | null)[] = [];
  private readonly limits: readonly number[];

  constructor(adapter: ExchangeAdapter, { instrument }: StreamedFixture) {
    this.decoder = adapter.createDecoder([instrument]);
    this.sequencer = adapter.createSequencer();
    this.limits = adapter.snapshotLimits;
  }

  play(frames: readonly string[]): Item[] {
    return frames.flatMap((frame) => {
      const items = itemsOf(this.decoder.decode(frame));
      this.connection.push(this.decoder.connectionSequence);
      for (const item of items) this.take(item);
      return items;
    });
  }

  private take(item: Item): void {
    if (item.kind === "snapshot") {
      this.sequencer.reset();
      this.sequencer.judgeSnapshot(item.lastSequence, null);
      this.book.replace(item.levels, this.limits);
    } else if (item.kind === "depth") {
      const verdict = this.sequencer.judge(item);
      this.verdicts.push(verdict);
      if (verdict === "apply") this.book.apply(item.levels);
    }
  }
}

function wholeSession(adapter: ExchangeAdapter, fixture: StreamedFixture): Session {
  const session = new Session(adapter, fixture);
  session.play([...fixture.opening, ...fixture.snapshotFrames, ...fixture.following]);
  return session;
}

function topOf(book: OrderBook, side: "bid" | "ask", count: number): number[][] {
  const ticks = new Float64Array(count);
  const lots = new Float64Array(count);
  book.copyTop(side, ticks, lots);
  return Array.from(ticks, (price, at) => [price, lots[at] as number]);
}

const STREAMED = adapters.filter(({ snapshots }) => snapshots.kind === "subscription");

describe.each(STREAMED.map((adapter) => [adapter.venue, adapter] as const))("%s", (venue, adapter) => {
  const fixture = streamedFixtureOf(venue);
  const { symbol } = fixture.instrument;
  const everyFrame = [...fixture.opening, ...fixture.snapshotFrames, ...fixture.following, fixture.trade.frame, fixture.quote.frame];

  it.runIf(adapter.continuity === "connection")("goes on after frames that came twice: the feed decodes each before it drops it", () => {
    const [featureSet] = featureSets;
    if (featureSet === undefined) throw new Error("no feature set");
    // The session leaves out other markets' frames, and their numbers.
    const feed = new FeedReducer({ adapter, instruments: [fixture.instrument], featureSet, frames: "one-market" });
    feed.connectionOpened(1_000);
    const session = [...fixture.opening, ...fixture.snapshotFrames, ...fixture.following];
    for (const frame of session) for (const text of [frame, frame, frame]) feed.frame(text, 2_000);
    const market = feed.markets.get(symbol);
    expect(market?.state).toBe("live");
    expect(market?.book.contentHash()).toBe(wholeSession(adapter, fixture).book.contentHash());
    expect(feed.takeGapChanges()).toEqual([]);
  });

  it("has market ids that URLs and keys can carry", () => {
    expect(parseMarketId(marketId(venue, symbol))).toEqual({ venue, symbol });
  });

  it("connects to the hosts it is given, so that a mirror or a simulator can stand in", () => {
    const hosts = { stream: "ws://stream.test:1", rest: "http://rest.test:2" };
    expect(adapter.streamUrl(hosts, [symbol]).startsWith(hosts.stream)).toBe(true);
    expect(adapter.instrumentsRequest(hosts, [symbol]).url.startsWith(`${hosts.rest}/`)).toBe(true);
    for (const url of [adapter.hosts, ...adapter.fallbackHosts].flatMap(({ stream, rest }) => [stream, rest]))
      expect(url).not.toMatch(/\/$/);
    expect(adapter.instrumentsRequest(hosts, [symbol]).weight).toBeLessThanOrEqual(adapter.limits.weightPerMinute);
  });

  it("subscribes to every channel that a market is made of, and to one of them anew by leaving it first", () => {
    expect(adapter.subscribe([symbol], null).join("\n")).toContain(symbol);
    for (const channel of ["depth", "trades", "quotes"] as const) {
      const [leave = "", enter = ""] = adapter.resubscribe([symbol], channel, null);
      expect(leave).toContain("unsubscribe");
      expect(enter).not.toContain("unsubscribe");
      for (const frame of [leave, enter]) expect(frame).toContain(symbol);
    }
  });

  it("takes its grids from the venue's own answer and leaves out what was not asked for", () => {
    expect(adapter.decodeInstruments(fixture.instrumentsBody, [symbol, "NOSUCH"])).toEqual({ instruments: [fixture.instrument] });
  });

  it("builds the book from the streamed snapshot and what follows", () => {
    const session = wholeSession(adapter, fixture);
    expect(session.verdicts).toEqual(fixture.following.map(() => "apply"));
    expect(topOf(session.book, "bid", fixture.bids.length)).toEqual(fixture.bids);
    expect(topOf(session.book, "ask", fixture.asks.length)).toEqual(fixture.asks);
    expect(session.sequencer.isSynced).toBe(true);
  });

  it("gives nothing of a book before its snapshot: a change of what is not there is no book", () => {
    const session = new Session(adapter, fixture);
    const items = session.play([...fixture.opening, ...fixture.following]);
    expect(items.filter((item) => item.kind === "loss" || item.kind === "snapshot")).toEqual([]);
    expect(session.verdicts.filter((verdict) => verdict === "apply")).toEqual([]);
  });

  it("begins again with the next snapshot, whatever the book was", () => {
    const session = wholeSession(adapter, fixture);
    const [first] = itemsOf(session.decoder.decode(fixture.snapshotFrames[0] ?? ""));
    const fresh = new Session(adapter, fixture);
    fresh.play([...fixture.opening, ...fixture.snapshotFrames]);
    session.play(fixture.snapshotFrames);
    expect(first?.kind).toBe("snapshot");
    expect(session.book.contentHash()).toBe(fresh.book.contentHash());
  });

  it("sees a lost message where the venue numbers any, and says so where it doesn't", () => {
    const session = wholeSession(adapter, fixture);
    if (adapter.continuity === "connection") expect(session.connection.every((sequence) => sequence !== null)).toBe(true);
    else expect(session.connection.every((sequence) => sequence === null)).toBe(true);
  });

  it("says what was lost when a message refers to what never came", () => {
    for (const { frame, event } of fixture.losses ?? []) {
      const { decoder } = wholeSession(adapter, fixture);
      expect(itemsOf(decoder.decode(frame))).toEqual([event]);
    }
  });

  it("goes on from what its memory says, as a replay from a checkpoint does", () => {
    const whole = wholeSession(adapter, fixture);
    const memory = whole.decoder.memory(symbol);
    if (memory === null) return;
    const resumed = adapter.createDecoder([fixture.instrument]);
    expect(resumed.recall(symbol, memory)).toBe(true);
    expect(resumed.memory(symbol)).toBe(memory);
    expect(resumed.recall(symbol, "nonsense")).toBe(false);
    expect(resumed.recall(symbol, '{"a":1}')).toBe(false);
  });

  it("decodes trades and quotes in ticks and lots", () => {
    const { decoder } = wholeSession(adapter, fixture);
    for (const { frame, event } of [fixture.trade, fixture.quote]) expect(itemsOf(decoder.decode(frame))).toEqual([event]);
  });

  it("tells controls and what it keeps nothing of from events", () => {
    const { decoder } = wholeSession(adapter, fixture);
    for (const frame of fixture.ignored) expect(decoder.decode(frame)).toMatchObject({ kind: "ignored" });
    for (const frame of fixture.acknowledged) expect(decoder.decode(frame)).toMatchObject({ kind: "control", control: "acknowledged" });
    for (const frame of fixture.heartbeats) expect(decoder.decode(frame)).toMatchObject({ kind: "control", control: "heartbeat" });
    for (const frame of fixture.refused) expect(decoder.decode(frame)).toMatchObject({ kind: "control", control: "refused" });
    for (const frame of fixture.closing) expect(decoder.decode(frame)).toMatchObject({ kind: "control", control: "closing" });
  });

  it("answers any text with a value: no frame can kill a feed", () => {
    const { decoder } = wholeSession(adapter, fixture);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: "binary" })), (text) => {
        expect(itemsOf(decoder.decode(text))).toEqual([]);
        expect(decoder.decodeSnapshot(symbol, text)).toMatchObject({ kind: "malformed", symbol });
        const answer = adapter.decodeInstruments(text, [symbol]);
        expect("malformed" in answer ? [] : answer.instruments).toEqual([]);
        expect(decoder.recall(symbol, text)).toBe(false);
      }),
    );
  });

  it("takes no event from a truncated frame", () => {
    for (const frame of everyFrame.filter((text) => text.startsWith("{"))) {
      const { decoder } = wholeSession(adapter, fixture);
      for (let length = 0; length < frame.length; length++) expect(decoder.decode(frame.slice(0, length)).kind).toBe("malformed");
    }
  });

  it("knows nothing of the last connection on the next: what it referred to is gone", () => {
    const session = wholeSession(adapter, fixture);
    session.decoder.reset();
    const items = session.play(fixture.following);
    expect(items.filter((item) => item.kind === "loss")).toEqual([]);
  });
});
