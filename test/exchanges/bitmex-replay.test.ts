/**
 * The recorded capture, read and applied from its first frame to its last: nothing malformed, nothing lost, each book equal to a naive one
 * after each message, and its top equal to the last quote of each quote message.
 */

import { describe, expect, it } from "vitest";
import { readRecordedLines } from "../../bench/recording.ts";
import { OrderBook } from "../../core/book/order-book.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { bitmex } from "../../exchanges/bitmex/bitmex.ts";
import type { BookSequencer } from "../../exchanges/contract.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { eventsOf, readers } from "./bitmex-readings.ts";

const frames = recording("wire/bitmex-2021-07-22.ws.txt.gz");
const answers = recording("wire/bitmex-2021-07-22.rest.txt.gz");

/** What the venue sent. */
function framesOf(file: string): string[] {
  return readRecordedLines(file).flatMap((line) => (line.kind === "frame" ? [line.text] : []));
}

function instrumentsOf(file: string, symbols: readonly string[]): Instrument[] {
  const [body = ""] = readRecordedLines(file).flatMap((line) => (line.kind === "answer" ? [line.body] : []));
  const decoded = bitmex.decodeInstruments(body, symbols);
  if ("malformed" in decoded) throw new Error(decoded.malformed);
  return decoded.instruments;
}

interface Row {
  readonly symbol: string;
  readonly id: number;
  readonly side: "Buy" | "Sell";
  readonly size?: number;
  readonly price?: number;
}

/** Independent of ours: rows by id as the venue's table has them, prices and sizes as the doubles that JSON.parse makes. */
class NaiveTable {
  readonly books = new Map<string, Map<number, Required<Row>>>();

  take({ table, action, data, filter }: { table?: string; action: string; data: Row[]; filter?: { symbol: string } }): void {
    if (table !== "orderBookL2") return;
    if (action === "partial") this.books.set(filter?.symbol ?? "", new Map());
    for (const row of data) {
      const book = this.books.get(row.symbol);
      if (action === "delete") book?.delete(row.id);
      else book?.set(row.id, { ...book.get(row.id), ...row } as Required<Row>);
    }
  }

  /** [price, size] of a side, the best first. */
  side(symbol: string, side: Row["side"]): number[][] {
    const sign = side === "Buy" ? -1 : 1;
    return [...(this.books.get(symbol)?.values() ?? [])]
      .filter((row) => row.side === side)
      .map(({ price, size }) => [price, size])
      .toSorted(([left = 0], [right = 0]) => sign * (left - right));
  }
}

interface ReplayedMarket {
  readonly instrument: Instrument;
  readonly book: OrderBook;
  readonly sequencer: BookSequencer;
}

/** The book's side in the venue's units, as doubles: comparable with what JSON.parse makes of the venue's own text. */
function sideOf({ instrument, book }: ReplayedMarket, side: "bid" | "ask", most = 20_000): number[][] {
  const { tick, lot } = instrument;
  const count = Math.min(most, side === "bid" ? book.bids.levelCount : book.asks.levelCount);
  const ticks = new Float64Array(count);
  const lots = new Float64Array(count);
  book.copyTop(side, ticks, lots);
  return Array.from(ticks, (steps, at) => [
    Number(`${steps * tick.mantissa}e-${tick.decimals}`),
    Number(`${(lots[at] as number) * lot.mantissa}e-${lot.decimals}`),
  ]);
}

const SYMBOLS = "XRPU21 UNIUSDT XBTUSD ADAUSDT SOLUSDT TRXU21 EOSUSDT TRXUSDT BCHUSD MATICUSDT".split(" ");

describe(`recorded session ${WITHOUT_RECORDINGS}`, () => {
  it.skipIf(frames === null || answers === null)("ten symbols: every book is the naive one, and its top is the venue's quote", () => {
    const instruments = instrumentsOf(answers ?? "", SYMBOLS);
    expect(instruments.map(({ symbol }) => symbol).toSorted()).toEqual(SYMBOLS.toSorted());
    const markets = new Map<string, ReplayedMarket>(
      instruments.map((instrument) => [instrument.symbol, { instrument, book: new OrderBook(), sequencer: bitmex.createSequencer() }]),
    );
    const decoder = bitmex.createDecoder(instruments);
    const naive = new NaiveTable();
    const kinds = new Map<string, number>();
    const verdicts = new Map<string, number>();
    let agreeing = 0;
    const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

    for (const frame of framesOf(frames ?? "")) {
      const decoded = decoder.decode(frame);
      naive.take(JSON.parse(frame));
      if (decoded.kind !== "event" && decoded.kind !== "events") count(kinds, decoded.kind);
      const events = decoded.kind === "event" || decoded.kind === "events" ? eventsOf(decoded) : [];
      for (const event of events) {
        count(kinds, event.kind);
        const market = markets.get(event.symbol);
        if (market === undefined) throw new Error(event.symbol);
        if (event.kind === "snapshot") {
          market.sequencer.judgeSnapshot(event.lastSequence, null);
          market.book.replace(event.levels, bitmex.snapshotLimits);
        } else if (event.kind === "depth") {
          const verdict = market.sequencer.judge(event);
          count(verdicts, typeof verdict === "string" ? verdict : verdict.resync);
          market.book.apply(event.levels);
        }
        if (event.kind !== "snapshot" && event.kind !== "depth") continue;
        expect(market.book.state).toBe("normal");
        expect(sideOf(market, "bid", 20)).toEqual(naive.side(event.symbol, "Buy").slice(0, 20));
        expect(sideOf(market, "ask", 20)).toEqual(naive.side(event.symbol, "Sell").slice(0, 20));
      }
      const last = events.at(-1);
      const market = markets.get(last?.symbol ?? "");
      // Each symbol's image comes before its book's.
      if (last?.kind !== "quote" || market === undefined || !market.sequencer.isSynced) continue;
      const { bids, asks } = market.book;
      expect([bids.bestTicks, bids.bestLots, asks.bestTicks, asks.bestLots]).toEqual([
        last.bidTicks,
        last.bidLots,
        last.askTicks,
        last.askLots,
      ]);
      agreeing++;
    }

    expect(Object.fromEntries(kinds)).toEqual({ control: 31, ignored: 10, quote: 236, trade: 7, snapshot: 10, depth: 1_177 });
    expect(Object.fromEntries(verdicts)).toEqual({ apply: 1_177 });
    expect(agreeing).toBe(55);
    for (const [symbol, market] of markets) {
      expect(sideOf(market, "bid"), symbol).toEqual(naive.side(symbol, "Buy"));
      expect(sideOf(market, "ask"), symbol).toEqual(naive.side(symbol, "Sell"));
      // What a checkpoint remembers of the ids goes on where this decoder stopped.
      const memory = decoder.memory(symbol);
      const other = bitmex.createDecoder([market.instrument]);
      expect(other.recall(symbol, memory ?? ""), symbol).toBe(true);
      expect(other.memory(symbol), symbol).toBe(memory);
    }
  });

  it.skipIf(frames === null || answers === null)("is read alike by the scanner and the parser, also with a character changed", () => {
    const { scan, parse } = readers(instrumentsOf(answers ?? "", SYMBOLS));
    const changes = framesOf(frames ?? "").filter((frame) => frame.startsWith('{"table"') && !frame.includes('"partial"'));
    let accepted = 0;
    let edited = 0;
    for (const [at, frame] of changes.entries()) {
      const scanned = scan(frame);
      if (scanned !== null) {
        accepted++;
        expect(scanned).toEqual(parse(frame));
      }
      // Another character for each of twenty, spread over the frame and from frame to frame.
      for (let edit = 0; edit < 20; edit++) {
        const place = (at * 7 + edit * Math.ceil(frame.length / 20)) % frame.length;
        const other = frame.slice(0, place) + '0915.,"}e-'[(at + edit) % 10] + frame.slice(place + 1);
        const read = scan(other);
        if (read === null) continue;
        edited++;
        expect(read, other).toEqual(parse(other));
      }
    }
    expect([changes.length, accepted]).toEqual([1_236, 1_236]);
    expect(edited).toBeGreaterThan(500);
  });

  it.skipIf(answers === null)("reads what a contract of each kind is worth", () => {
    const contracts = instrumentsOf(answers ?? "", ["XBTUSD", "XRPU21", "BCHUSD"]);
    expect(Object.fromEntries(contracts.map(({ symbol, tick, lot, contract }) => [symbol, { tick, lot, contract }]))).toEqual({
      XBTUSD: {
        tick: { decimals: 1, mantissa: 5 },
        lot: { decimals: 0, mantissa: 100 },
        contract: { kind: "inverse", size: "1", unit: "USD" },
      },
      XRPU21: {
        tick: { decimals: 8, mantissa: 1 },
        lot: { decimals: 0, mantissa: 1 },
        contract: { kind: "linear", size: "1", unit: "XRP" },
      },
      BCHUSD: {
        tick: { decimals: 2, mantissa: 5 },
        lot: { decimals: 0, mantissa: 1 },
        contract: { kind: "quanto", size: "100", unit: "XBt" },
      },
    });
  });
});
