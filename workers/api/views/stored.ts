/** Stored snapshots and gaps as the API shows them. Pure. */

import { parseGrid } from "../../../core/units/decimal.ts";
import type { GapRow } from "../../storage/read-gaps.ts";
import type { SnapshotRow } from "../../storage/read-snapshots.ts";
import { type Grids, levelOrNull, levelViews, midText } from "../prices.ts";
import type { GapBody, SnapshotBody } from "../schemas.ts";

/** @param levels at most so many levels a side. */
export function snapshotBody(row: SnapshotRow, levels: number): SnapshotBody {
  const grids = gridsOf(row);
  const minuteIso = new Date(row.minute).toISOString();
  return {
    minute: row.minute,
    minuteIso,
    tick: row.tick,
    lot: row.lot,
    batch: row.batch,
    state: row.state,
    bookState: row.bookState,
    bid: levelOrNull(row.bidTicks, row.bidLots, grids),
    ask: levelOrNull(row.askTicks, row.askLots, grids),
    mid: midText(row.bidTicks, row.askTicks, grids.tick),
    bids: levelsOf(row.bids, levels, grids),
    asks: levelsOf(row.asks, levels, grids),
    lastSequence: row.lastSequence,
    bookHash: row.bookHash,
    marketTime: row.marketTime,
    features: featuresOf(row),
    coveredMs: row.coveredMs,
    events: row.events,
    trades: row.trades,
    pricePath: row.pricePath,
    split: splitOfRow(row),
    tape: tapeOf(row, minuteIso),
  };
}

function splitOfRow({ split, splitSchedule }: SnapshotRow): SnapshotBody["split"] {
  return split === null || splitSchedule === null ? null : { label: split, schedule: splitSchedule };
}

/** Null when nothing was received. */
function tapeOf({ market, tapeKey, tapeOffset, tapeBytes }: SnapshotRow, minuteIso: string): SnapshotBody["tape"] {
  if (tapeKey === null || tapeOffset === null || tapeBytes === null) return null;
  return { key: tapeKey, offset: tapeOffset, bytes: tapeBytes, url: `/v1/markets/${market}/tapes/${minuteIso}` };
}

export function gapBody(row: GapRow): GapBody {
  return row;
}

/** Our own cron wrote the text: what can't be read is a bug. */
function gridsOf({ market, minute, tick, lot }: SnapshotRow): Grids {
  const grids = { tick: parseGrid(tick), lot: parseGrid(lot) };
  if (grids.tick === null || grids.lot === null) throw new Error(`the row ${market} ${minute} has the grids "${tick}" and "${lot}"`);
  return { tick: grids.tick, lot: grids.lot };
}

function levelsOf(json: string | null, levels: number, grids: Grids): SnapshotBody["bids"] {
  if (json === null) return null;
  return levelViews((JSON.parse(json) as [number, number][]).slice(0, levels), grids);
}

function featuresOf({ featureTime, fingerprint, features }: SnapshotRow): SnapshotBody["features"] {
  if (featureTime === null || fingerprint === null || features === null) return null;
  return { featureTime, fingerprint, row: JSON.parse(features) as number[] };
}
