/**
 * The decoder of one BitMEX connection: the scanner where it can, the parser for the rest, and the books that give the levels their prices.
 *
 * Never throws: whatever comes is an event, a loss, a control, ignored or malformed with a reason. Events live until the next is asked for.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { Decoded, Decoder } from "../contract.ts";
import { EventBuffers } from "../decoding/event-buffers.ts";
import { shown } from "../decoding/json-fields.ts";
import { BookRows } from "./book-rows.ts";
import { Books } from "./books.ts";
import { EventList } from "./event-list.ts";
import { FrameParser, type Reading } from "./frame-parser.ts";
import { FrameScanner } from "./frame-scanner.ts";
import { marketsBySymbol } from "./markets.ts";

/**
 * Characters of the largest frame that is read at all. An image of the most levels (20,000 rows of 190 characters, with pool and both times)
 * fits; parsing it takes some 30 ms, once a subscription.
 */
export const MAX_FRAME_CHARACTERS = 4 * 1024 * 1024;

/** Trades without an id that can be told apart within a millisecond. */
const TRADES_PER_MS = 1_024;

export function createBitmexDecoder(instruments: readonly Instrument[]): Decoder {
  const markets = marketsBySymbol(instruments);
  const rows = new BookRows();
  const events = new EventList();
  const books = new Books(new EventBuffers(), rows, markets.values());
  let unnamedTrades = 0;
  const parser = new FrameParser({ rows, events }, markets, (time) => time * TRADES_PER_MS + (unnamedTrades++ % TRADES_PER_MS));
  const scanner = new FrameScanner({ rows, events }, markets.values());

  function settle(reading: Reading): Decoded {
    switch (reading.kind) {
      case "events":
        if (events.latest !== null) books.time = events.latest;
        return reading;
      case "book":
        return books.take();
      case "clock":
        books.time = reading.time;
        return reading.decoded;
      case "malformed":
        if (reading.channel === "depth" || reading.channel === null) books.missed(markets.get(reading.symbol ?? "") ?? null);
        return reading;
      default:
        return reading;
    }
  }

  return {
    connectionSequence: null,
    decode(frame) {
      return settle(scanner.scan(frame) ?? oversized(frame) ?? parser.parse(frame));
    },
    decodeSnapshot: (symbol) => ({
      kind: "malformed",
      reason: `a snapshot of ${shown(symbol)}: this venue's come on the socket`,
      symbol: markets.has(symbol) ? symbol : null,
    }),
    reset() {
      books.reset();
      unnamedTrades = 0;
    },
    memory(symbol) {
      const market = markets.get(symbol);
      return market === undefined ? null : (books.idsOf(market)?.toText(books.time) ?? null);
    },
    recall(symbol, memory) {
      const market = markets.get(symbol);
      const time = market === undefined ? null : (books.idsOf(market)?.take(memory) ?? null);
      if (time === null) return false;
      if (time > books.time) books.time = time;
      return true;
    },
  };
}

function oversized(frame: string): Decoded | null {
  if (frame.length <= MAX_FRAME_CHARACTERS) return null;
  return {
    kind: "malformed",
    reason: `oversized: ${frame.length} characters, at most ${MAX_FRAME_CHARACTERS}`,
    symbol: null,
    channel: null,
  };
}
