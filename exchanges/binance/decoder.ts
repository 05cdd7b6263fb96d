/**
 * The decoder of one Binance connection: the scanner where it can, the parser for the rest.
 *
 * Never throws: whatever comes is an event, a control, ignored or malformed with a reason. Events live until the next call.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { Decoded, Decoder } from "../contract.ts";
import { EventBuffers } from "../decoding/event-buffers.ts";
import { FrameParser } from "./frame-parser.ts";
import { FrameScanner } from "./frame-scanner.ts";
import { type BinanceProduct, marketsBySymbol } from "./markets.ts";

/**
 * Characters of the largest frame or body that is read at all. 20,000 levels of some 50 characters are 1 M; parsing twice that
 * takes some 10 ms, which a feed of many markets can bear once.
 */
export const MAX_FRAME_CHARACTERS = 2 * 1024 * 1024;

export function createBinanceDecoder(product: BinanceProduct, instruments: readonly Instrument[]): Decoder {
  const markets = marketsBySymbol(instruments);
  const buffers = new EventBuffers();
  const scanner = new FrameScanner(buffers, markets.values(), product);
  const parser = new FrameParser(buffers, markets, product);
  return {
    connectionSequence: null,
    // Its messages are whole in themselves.
    reset: () => {},
    memory: () => null,
    recall: () => false,
    decode: (frame) => scanner.scan(frame) ?? oversized(frame, null) ?? parser.parse(frame),
    decodeSnapshot: (symbol, body) => oversized(body, symbol) ?? parser.parseSnapshot(symbol, body),
  };
}

function oversized(text: string, symbol: string | null): Decoded | null {
  if (text.length <= MAX_FRAME_CHARACTERS) return null;
  return { kind: "malformed", reason: `oversized: ${text.length} characters, at most ${MAX_FRAME_CHARACTERS}`, symbol };
}
