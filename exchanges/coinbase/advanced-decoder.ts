/**
 * The decoder of one connection to Advanced Trade: the scanner where it can, the parser for the rest. Never throws: whatever comes is an event, a control, ignored or malformed with a reason.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { Decoder } from "../contract.ts";
import { EventBuffers } from "../decoding/event-buffers.ts";
import { AdvancedParser } from "./advanced-parser.ts";
import { AdvancedScanner } from "./advanced-scanner.ts";
import { MAX_FRAME_CHARACTERS, MAX_LEVELS, malformed, marketsBySymbol, SidedLevels } from "./messages.ts";

export function createAdvancedDecoder(instruments: readonly Instrument[]): Decoder {
  const markets = marketsBySymbol(instruments);
  const buffers = new EventBuffers(MAX_LEVELS);
  const levels = new SidedLevels(buffers);
  const scanner = new AdvancedScanner(buffers, levels, markets.values());
  const parser = new AdvancedParser(buffers, levels, markets);
  let sequence: number | null = null;
  return {
    get connectionSequence() {
      return sequence;
    },
    decode(frame) {
      const scanned = frame.length > MAX_FRAME_CHARACTERS ? null : scanner.scan(frame);
      if (scanned !== null) {
        sequence = scanner.sequence;
        return scanned;
      }
      const parsed = frame.length > MAX_FRAME_CHARACTERS ? parser.unreadable(oversized(frame), frame) : parser.parse(frame);
      sequence = parser.sequence;
      return parsed;
    },
    decodeSnapshot: (symbol) => malformed("snapshots come on the socket", markets.has(symbol) ? symbol : null, null),
    reset() {
      sequence = null;
    },
    // Its messages are whole in themselves.
    memory: () => null,
    recall: () => false,
  };
}

function oversized(frame: string): string {
  return `oversized: ${frame.length} characters, at most ${MAX_FRAME_CHARACTERS}`;
}
