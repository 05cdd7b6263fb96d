/** What a feed recorded, as rows of the database. Pure. */

import { type SplitSchedule, splitOf, splitScheduleId } from "../../core/labels/split.ts";
import { type Instrument, marketId } from "../../core/market/instrument.ts";
import { type DecimalGrid, formatSteps } from "../../core/units/decimal.ts";
import type { TapePlace } from "../../core/wire/minute-tapes.ts";
import type { GapRecord, MinuteSnapshot } from "../../feed/contract.ts";
import type { gaps, instruments, snapshots } from "../storage/schema.ts";

export interface SnapshotSource {
  readonly snapshot: MinuteSnapshot;
  readonly batch: string;
  /** Null when nothing of the market was received in the minute. */
  readonly tape: TapePlace | null;
  readonly splits: SplitSchedule;
}

export function snapshotRow({ snapshot, batch, tape, splits }: SnapshotSource): Required<typeof snapshots.$inferInsert> {
  return {
    market: snapshot.market,
    minute: snapshot.minute,
    batch,
    tick: stepText(snapshot.instrument.tick),
    lot: stepText(snapshot.instrument.lot),
    state: snapshot.state,
    bookState: snapshot.bookState,
    bidTicks: snapshot.quote?.bidTicks ?? null,
    bidLots: snapshot.quote?.bidLots ?? null,
    askTicks: snapshot.quote?.askTicks ?? null,
    askLots: snapshot.quote?.askLots ?? null,
    bids: jsonOrNull(snapshot.bids),
    asks: jsonOrNull(snapshot.asks),
    lastSequence: snapshot.lastSequence,
    bookHash: snapshot.bookHash,
    marketTime: snapshot.marketTime,
    featureTime: snapshot.features?.featureTime ?? null,
    fingerprint: snapshot.features?.fingerprint ?? null,
    features: jsonOrNull(snapshot.features?.row ?? null),
    coveredMs: snapshot.coveredMs,
    events: snapshot.events,
    trades: snapshot.trades,
    tapeKey: tape?.key ?? null,
    tapeOffset: tape?.offset ?? null,
    tapeBytes: tape?.bytes ?? null,
    split: splitOf(snapshot.minute, splits),
    splitSchedule: splitScheduleId(splits),
    // Of a feed of an older deployment there is none.
    pricePath: snapshot.pricePath ?? null,
  };
}

export function gapRow(gap: GapRecord): typeof gaps.$inferInsert {
  const { id, market, channel, from, to, reason, detail, action } = gap;
  return { id, market, channel, from, to, reason, detail, action };
}

export function instrumentRow(instrument: Instrument, feed: string): typeof instruments.$inferInsert {
  const { venue, symbol } = instrument;
  return { market: marketId(venue, symbol), venue, symbol, feed, tick: stepText(instrument.tick), lot: stepText(instrument.lot) };
}

function stepText(grid: DecimalGrid): string {
  return formatSteps(1, grid);
}

/** JSON by JavaScript's shortest form: every double comes back bit by bit. */
function jsonOrNull(value: readonly unknown[] | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
