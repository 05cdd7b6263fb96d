/**
 * The decoder of one connection to the Exchange feed: the scanner where it can, the parser for the rest. Never throws: whatever comes is an event, a control, ignored or malformed with a reason.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { Decoder } from "../contract.ts";
import { EventBuffers } from "../decoding/event-buffers.ts";
import { exchangeMarkets, forget, memoryOf, recallInto } from "./exchange-markets.ts";
import { ExchangeParser } from "./exchange-parser.ts";
import { ExchangeScanner } from "./exchange-scanner.ts";
import { MAX_FRAME_CHARACTERS, MAX_LEVELS, malformed, SidedLevels } from "./messages.ts";

export function createExchangeDecoder(instruments: readonly Instrument[]): Decoder {
  const markets = exchangeMarkets(instruments);
  const buffers = new EventBuffers(MAX_LEVELS);
  const levels = new SidedLevels(buffers);
  const scanner = new ExchangeScanner(buffers, levels, markets.values());
  const parser = new ExchangeParser(buffers, levels, markets);
  return {
    connectionSequence: null,
    decode(frame) {
      if (frame.length > MAX_FRAME_CHARACTERS) return parser.unreadable(oversized(frame), frame);
      return scanner.scan(frame) ?? parser.parse(frame);
    },
    decodeSnapshot: (symbol) => malformed("snapshots come on the socket", markets.has(symbol) ? symbol : null, null),
    reset() {
      for (const market of markets.values()) forget(market);
    },
    memory(symbol) {
      const market = markets.get(symbol);
      return market === undefined ? null : memoryOf(market);
    },
    recall(symbol, memory) {
      const market = markets.get(symbol);
      return market !== undefined && recallInto(market, memory);
    },
  };
}

function oversized(frame: string): string {
  return `oversized: ${frame.length} characters, at most ${MAX_FRAME_CHARACTERS}`;
}
