/**
 * The recorded session of the Exchange feed, decoded and applied from its first frame to its last, beside a book that is kept as text and
 * knows nothing of ours: nothing malformed, no loss, the same levels, and the top that the venue's ticker says.
 */

import { describe, expect, it } from "vitest";
import { inferInstruments, readRecording } from "../../bench/recording.ts";
import { OrderBook } from "../../core/book/order-book.ts";
import { featureSets } from "../../core/features/registry.ts";
import type { DepthEvent, QuoteEvent, SnapshotEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { formatSteps } from "../../core/units/decimal.ts";
import { coinbaseExchange } from "../../exchanges/coinbase/exchange.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";

const file = recording("wire/coinbase-exchange-2021-04-17.ws.txt.gz");

/** Levels as the venue wrote them, by price; no ticks, no ladder. */
class NaiveBook {
  readonly bids = new Map<string, string>();
  readonly asks = new Map<string, string>();

  take(message: { type: string; bids?: [string, string][]; asks?: [string, string][]; changes?: [string, string, string][] }): void {
    if (message.type === "snapshot") {
      this.bids.clear();
      this.asks.clear();
      for (const [price, size] of message.bids ?? []) this.bids.set(price, size);
      for (const [price, size] of message.asks ?? []) this.asks.set(price, size);
    }
    for (const [side, price, size] of message.changes ?? []) {
      const levels = side === "buy" ? this.bids : this.asks;
      if (Number(size) === 0) levels.delete(price);
      else levels.set(price, size);
    }
  }

  /** Best first, as numbers. */
  side(side: "bids" | "asks"): [number, number][] {
    const levels = [...this[side]].map(([price, size]): [number, number] => [Number(price), Number(size)]);
    return levels.toSorted(([left], [right]) => (side === "bids" ? right - left : left - right));
  }
}

function levelsOf(book: OrderBook, side: "bid" | "ask", { tick, lot }: Instrument): [number, number][] {
  const ladder = book.side(side);
  const levels: [number, number][] = [];
  for (let index = 0; index < ladder.levelCount; index++) {
    levels.push([Number(formatSteps(ladder.ticksAt(index), tick)), Number(formatSteps(ladder.lotsAt(index), lot))]);
  }
  return levels;
}

interface Market {
  readonly instrument: Instrument;
  readonly book: OrderBook;
  readonly naive: NaiveBook;
  readonly sequencer: ReturnType<typeof coinbaseExchange.createSequencer>;
}

function replay() {
  const frames = readRecording(file ?? "");
  const instruments = inferInstruments("coinbase-exchange", frames);
  const decoder = coinbaseExchange.createDecoder(instruments);
  const markets = new Map<string, Market>(
    instruments.map((instrument) => [
      instrument.symbol,
      { instrument, book: new OrderBook(), naive: new NaiveBook(), sequencer: coinbaseExchange.createSequencer() },
    ]),
  );
  const kinds = new Map<string, number>();
  const verdicts = new Map<string, number>();
  const tradeIds = new Map<string, number[]>();
  const top = { comparisons: 0, mismatches: 0 };
  const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const { text } of frames) {
    const decoded = decoder.decode(text);
    count(kinds, decoded.kind === "event" ? decoded.event.kind : decoded.kind);
    if (decoded.kind !== "event") continue;
    const { event } = decoded;
    const market = markets.get(event.symbol);
    if (market === undefined) throw new Error(`an event of ${event.symbol}`);
    if (event.kind === "trade") tradeIds.set(event.symbol, [...(tradeIds.get(event.symbol) ?? []), event.tradeId]);
    else if (event.kind === "quote") compare(market, event, top);
    else if (event.kind === "depth" || event.kind === "snapshot") count(verdicts, apply(market, event, text));
  }
  return { markets, kinds, verdicts, tradeIds, top };
}

function apply(market: Market, event: DepthEvent | SnapshotEvent, text: string): string {
  market.naive.take(JSON.parse(text));
  if (event.kind === "snapshot") {
    market.book.replace(event.levels, coinbaseExchange.snapshotLimits);
    return `snapshot ${market.sequencer.judgeSnapshot(event.lastSequence, null)}`;
  }
  const verdict = market.sequencer.judge(event);
  if (verdict === "apply") market.book.apply(event.levels);
  return JSON.stringify(verdict);
}

function compare({ book }: Market, { bidTicks, askTicks }: QuoteEvent, top: { comparisons: number; mismatches: number }): void {
  top.comparisons++;
  if (book.bids.bestTicks !== bidTicks || book.asks.bestTicks !== askTicks) top.mismatches++;
}

describe(`the recorded session of ten products ${WITHOUT_RECORDINGS}`, () => {
  it.skipIf(file === null)("decodes whole: 4,960 changes, each the next of its book, and every top the ticker's", () => {
    const { markets, kinds, verdicts, tradeIds, top } = replay();
    // 10 last matches and the 10 tickers of the same trades are ignored.
    expect(Object.fromEntries(kinds)).toEqual({ control: 3, snapshot: 10, ignored: 20, depth: 4_960, trade: 31, quote: 31 });
    expect(Object.fromEntries(verdicts)).toEqual({ "snapshot apply": 10, '"apply"': 4_960 });
    expect(top).toEqual({ comparisons: 31, mismatches: 0 });
    expect(markets.size).toBe(10);
    for (const [symbol, { book, naive, instrument }] of markets) {
      expect(book.state, symbol).toBe("normal");
      expect(levelsOf(book, "bid", instrument), symbol).toEqual(naive.side("bids"));
      expect(levelsOf(book, "ask", instrument), symbol).toEqual(naive.side("asks"));
    }
    for (const [symbol, ids] of tradeIds) expect(ids, symbol).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index));
  });

  it.skipIf(file === null)("goes through the feed: every book live to the end, and nothing but the start in the ledger", () => {
    const frames = readRecording(file ?? "");
    const [featureSet] = featureSets;
    if (featureSet === undefined) throw new Error("no feature set");
    const feed = new FeedReducer({ adapter: coinbaseExchange, instruments: inferInstruments("coinbase-exchange", frames), featureSet });
    const start = Math.floor(frames[0]?.receivedAt ?? 0);
    feed.begin(start, () => null);
    feed.connectionOpened(start);
    for (const { receivedAt, text } of frames) feed.frame(text, Math.floor(receivedAt));
    expect([feed.frames, feed.malformedFrames]).toEqual([5_055, 0]);
    for (const [symbol, market] of feed.markets) expect([symbol, market.state]).toEqual([symbol, "live"]);
    expect(feed.takeGapChanges().map(({ reason, action }) => `${reason} ${action}`)).toEqual(
      Array.from({ length: 10 }, () => "started resynced"),
    );
  });
});
