/** One small session of each venue that sends its books on the stream, written by hand from its documents: what the contract suite feeds to its adapter. */

import type { QuoteEvent, TopLevelsEvent, TradeEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import type { LossNotice } from "../../exchanges/contract.ts";
import { bitmexFixture } from "./fixture-bitmex.ts";
import { coinbaseAdvancedFixture } from "./fixture-coinbase-advanced.ts";
import { coinbaseExchangeFixture } from "./fixture-coinbase-exchange.ts";

export interface StreamedFixture {
  readonly instrument: Instrument;
  /** Body of the answer to instrumentsRequest; it also holds a symbol that was not asked for. */
  readonly instrumentsBody: string;
  /** Of the connection, before the book; nothing of it is an event. */
  readonly opening: readonly string[];
  readonly snapshotFrames: readonly string[];
  /** Changes that follow the snapshot without a hole. */
  readonly following: readonly string[];
  /** Best levels when all of that has been applied: [ticks, lots]. */
  readonly bids: readonly (readonly [number, number])[];
  readonly asks: readonly (readonly [number, number])[];
  readonly trade: { readonly frame: string; readonly event: TradeEvent };
  readonly quote: { readonly frame: string; readonly event: QuoteEvent };
  /** The venue's own list of the best levels, where it has one. */
  readonly topLevels?: { readonly frame: string; readonly event: TopLevelsEvent };
  /** After the session: frames that show that a message was lost. */
  readonly losses?: readonly { readonly frame: string; readonly event: LossNotice }[];
  readonly ignored: readonly string[];
  readonly acknowledged: readonly string[];
  readonly heartbeats: readonly string[];
  readonly refused: readonly string[];
  readonly closing: readonly string[];
}

const fixtures: Readonly<Record<string, StreamedFixture>> = {
  bitmex: bitmexFixture,
  "coinbase-advanced": coinbaseAdvancedFixture,
  "coinbase-exchange": coinbaseExchangeFixture,
};

export function streamedFixtureOf(venue: string): StreamedFixture {
  const fixture = fixtures[venue];
  if (fixture === undefined)
    throw new Error(`${venue} is in the registry and has no fixture: add a session to test/exchanges/streamed-fixtures.ts`);
  return fixture;
}
