/**
 * What every adapter of the registry must do, whatever its venue. A venue that is added is tested by this file and its fixture: those that are asked
 * for a snapshot here, those that send it on the stream in streamed-contract.test.ts.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import type { MarketEvent } from "../../core/market/event.ts";
import { marketId, parseMarketId } from "../../core/market/instrument.ts";
import type { Decoded, ExchangeAdapter } from "../../exchanges/contract.ts";
import { adapters, findAdapter } from "../../exchanges/registry.ts";
import { fixtureOf } from "./fixtures.ts";

/** The event of a decoded frame; anything else is a failed test. */
function eventOf(decoded: Decoded): MarketEvent {
  if (decoded.kind !== "event") throw new Error(`not an event: ${JSON.stringify(decoded)}`);
  return decoded.event;
}

function depthOf(decoded: Decoded) {
  const event = eventOf(decoded);
  if (event.kind !== "depth") throw new Error(`not depth: ${event.kind}`);
  return event;
}

/** Plays the fixture's session into a book the way a feed does. */
function playSession(adapter: ExchangeAdapter, frames: { buffered: readonly string[]; following: readonly string[] }) {
  const fixture = fixtureOf(adapter.venue);
  const decoder = adapter.createDecoder([fixture.instrument]);
  const sequencer = adapter.createSequencer();
  const book = new OrderBook();
  const verdicts: unknown[] = frames.buffered.map((frame) => sequencer.judge(depthOf(decoder.decode(frame))));
  const first = frames.buffered[0] === undefined ? null : depthOf(decoder.decode(frames.buffered[0])).firstSequence;
  const snapshot = eventOf(decoder.decodeSnapshot(fixture.instrument.symbol, fixture.snapshotBody));
  if (snapshot.kind !== "snapshot") throw new Error(`not a snapshot: ${snapshot.kind}`);
  const joined = sequencer.judgeSnapshot(snapshot.lastSequence, first);
  book.replace(snapshot.levels, adapter.snapshotLimits);
  for (const frame of [...frames.buffered, ...frames.following]) {
    const depth = depthOf(decoder.decode(frame));
    const verdict = sequencer.judge(depth);
    verdicts.push(verdict);
    if (verdict === "apply") book.apply(depth.levels);
  }
  return { book, sequencer, verdicts, joined };
}

function topOf(book: OrderBook, side: "bid" | "ask", count: number): number[][] {
  const ticks = new Float64Array(count);
  const lots = new Float64Array(count);
  book.copyTop(side, ticks, lots);
  return Array.from(ticks, (price, at) => [price, lots[at] as number]);
}

describe("the registry", () => {
  it("names each venue once, so that a market id finds its adapter", () => {
    expect(new Set(adapters.map(({ venue }) => venue)).size).toBe(adapters.length);
    for (const adapter of adapters) expect(findAdapter(adapter.venue)).toBe(adapter);
    expect(findAdapter("no-such-venue")).toBeNull();
  });
});

const ASKED = adapters.filter(({ snapshots }) => snapshots.kind === "request");

describe.each(ASKED.map((adapter) => [adapter.venue, adapter] as const))("%s", (venue, adapter) => {
  const fixture = fixtureOf(venue);
  const { symbol } = fixture.instrument;

  it("has market ids that URLs and keys can carry", () => {
    expect(parseMarketId(marketId(venue, symbol))).toEqual({ venue, symbol });
  });

  it("connects to the hosts it is given, so that a mirror or a simulator can stand in", () => {
    const hosts = { stream: "ws://stream.test:1", rest: "http://rest.test:2" };
    expect(adapter.streamUrl(hosts, [symbol]).startsWith(`${hosts.stream}/`)).toBe(true);
    if (adapter.snapshots.kind === "request") expect(adapter.snapshots.request(hosts, symbol).url.startsWith(`${hosts.rest}/`)).toBe(true);
    expect(adapter.instrumentsRequest(hosts, [symbol]).url.startsWith(`${hosts.rest}/`)).toBe(true);
    for (const url of [adapter.hosts, ...adapter.fallbackHosts].flatMap(({ stream, rest }) => [stream, rest]))
      expect(url).not.toMatch(/\/$/);
  });

  it("asks for no more than the venue's budget gives", () => {
    if (adapter.snapshots.kind === "subscription") return;
    const { weight } = adapter.snapshots.request(adapter.hosts, symbol);
    expect(weight).toBeGreaterThan(0);
    expect(weight).toBeLessThanOrEqual(adapter.limits.weightPerMinute);
    expect(adapter.snapshotLimits.length).toBeGreaterThan(0);
  });

  it("takes its grids from the venue's own answer and leaves out what was not asked for", () => {
    expect(adapter.decodeInstruments(fixture.instrumentsBody, [symbol, "NOSUCH"])).toEqual({ instruments: [fixture.instrument] });
  });

  it("builds the book from buffer, snapshot and continuation", () => {
    const { book, sequencer, verdicts, joined } = playSession(adapter, fixture);
    expect(joined).toBe("apply");
    expect(verdicts).toEqual(["buffer", "buffer", "drop", "apply", "apply"]);
    expect(sequencer.isSynced).toBe(true);
    expect(topOf(book, "bid", fixture.bids.length)).toEqual(fixture.bids);
    expect(topOf(book, "ask", fixture.asks.length)).toEqual(fixture.asks);
  });

  it("names a frame that comes twice a duplicate, and keeps the book", () => {
    const [last = ""] = fixture.following.slice(-1);
    const { book, verdicts } = playSession(adapter, { ...fixture, following: [...fixture.following, last, last] });
    expect(verdicts.slice(-2)).toEqual(["duplicate", "duplicate"]);
    expect(book.contentHash()).toBe(playSession(adapter, fixture).book.contentHash());
  });

  it("sees a lost frame as a gap, and goes on seeing it until reset", () => {
    const { sequencer } = playSession(adapter, fixture);
    const [last = ""] = fixture.following.slice(-1);
    const lost = { ...depthOf(adapter.createDecoder([fixture.instrument]).decode(last)) };
    lost.firstSequence += 1_000;
    lost.lastSequence += 1_000;
    if (lost.previousSequence !== null) lost.previousSequence += 1_000;
    expect(sequencer.judge(lost)).toEqual({ resync: "sequence-gap" });
    expect(sequencer.judge(lost)).toEqual({ resync: "sequence-gap" });
    sequencer.reset();
    expect(sequencer.isSynced).toBe(false);
    expect(sequencer.lastSequence).toBeNull();
    expect(sequencer.judge(lost)).toBe("buffer");
  });

  it("refuses a snapshot that ends before the buffer begins", () => {
    const sequencer = adapter.createSequencer();
    expect(sequencer.judgeSnapshot(1_000, 2_000)).toBe("too-old");
    expect(sequencer.isSynced).toBe(false);
    expect(sequencer.judgeSnapshot(2_000, 2_000)).toBe("apply");
    expect(sequencer.lastSequence).toBe(2_000);
  });

  it("decodes trades, quotes and bars in ticks and lots", () => {
    const decoder = adapter.createDecoder([fixture.instrument]);
    for (const { frame, event } of [fixture.trade, fixture.quote, fixture.kline]) expect(eventOf(decoder.decode(frame))).toEqual(event);
  });

  it("tells controls and what it keeps nothing of from events", () => {
    const decoder = adapter.createDecoder([fixture.instrument]);
    for (const frame of fixture.ignored) expect(decoder.decode(frame)).toMatchObject({ kind: "ignored" });
    for (const frame of fixture.acknowledged) expect(decoder.decode(frame)).toMatchObject({ kind: "control", control: "acknowledged" });
    for (const frame of fixture.refused) expect(decoder.decode(frame)).toMatchObject({ kind: "control", control: "refused" });
    for (const frame of fixture.closing) expect(decoder.decode(frame)).toMatchObject({ kind: "control", control: "closing" });
  });

  it("answers any text with a value: no frame can kill a feed", () => {
    const decoder = adapter.createDecoder([fixture.instrument]);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: "binary" })), (text) => {
        expect(decoder.decode(text).kind).not.toBe("event");
        expect(decoder.decodeSnapshot(symbol, text)).toMatchObject({ kind: "malformed", symbol });
        expect(adapter.decodeInstruments(text, [symbol])).toHaveProperty("malformed");
      }),
    );
  });

  it("finds every truncated frame malformed, and says whose it was once its head is there", () => {
    const decoder = adapter.createDecoder([fixture.instrument]);
    for (const frame of [...fixture.buffered, fixture.trade.frame, fixture.quote.frame, fixture.kline.frame]) {
      for (let length = 0; length < frame.length; length++) {
        const decoded = decoder.decode(frame.slice(0, length));
        expect(decoded.kind).toBe("malformed");
        if (decoded.kind === "malformed" && length > 40) expect(decoded.symbol).toBe(symbol);
      }
    }
  });

  it("reuses its buffers without leaking one message's levels into the next", () => {
    const decoder = adapter.createDecoder([fixture.instrument]);
    const fresh = (frame: string) => structuredClone(depthOf(adapter.createDecoder([fixture.instrument]).decode(frame)));
    for (const frame of [...fixture.following, ...fixture.buffered, ...fixture.following]) {
      const event = depthOf(decoder.decode(frame));
      const expected = fresh(frame);
      const count = expected.levels.bidCount + expected.levels.askCount;
      expect([event.levels.bidCount, event.levels.askCount]).toEqual([expected.levels.bidCount, expected.levels.askCount]);
      expect(event.levels.priceTicks.slice(0, count)).toEqual(expected.levels.priceTicks.slice(0, count));
      expect(event.levels.sizeLots.slice(0, count)).toEqual(expected.levels.sizeLots.slice(0, count));
    }
  });
});
