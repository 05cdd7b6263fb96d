/**
 * The price paths of a market's minutes as one: ordered by grid time, each time once, cut into segments within which rows follow second by second.
 *
 * Minutes come in the order of receive time. A minute that is missing, a text that can't be read, another grid of prices: each ends the segment. Where the clock was set
 * anew a grid time may have been written twice: the first stays, as in the ledger of forecasts, and what follows the second is a segment of its own.
 */

import { MS_PER_SECOND } from "../units/time.ts";
import { decodePricePath, type PathRow } from "./price-path.ts";

export interface MinutePath {
  /** Start of the minute of receive time, epoch ms. */
  readonly minute: number;
  /** Price of a tick, as the row says it: prices of another grid don't continue these. */
  readonly tick: string;
  readonly path: string;
}

/** Grid times from `from` on, `to` exclusive, epoch ms on the market's clock. */
export interface PathRange {
  readonly from: number;
  readonly to: number;
}

export interface JoinedPath {
  /** [rows], grid times on the market's clock, epoch ms, strictly increasing. */
  readonly times: Float64Array;
  readonly bidTicks: Float64Array;
  readonly askTicks: Float64Array;
  /** 0, 1, 2, …: rows with the same number follow each other second by second, with no break between; their ticks are on one grid. */
  readonly segments: Int32Array;
  /** Minutes whose text can't be read: taken for missing. */
  readonly malformed: readonly number[];
}

interface RunRow extends PathRow {
  /** Rows that continue each other as they were written have the same one. */
  readonly run: number;
}

export function joinPaths(minutes: Iterable<MinutePath>, { from, to }: PathRange): JoinedPath {
  const malformed: number[] = [];
  const rows = runsOf(minutes, malformed).filter(({ featureTime }) => featureTime >= from && featureTime < to);
  // The sort is stable: of one grid time the row that was written first comes first.
  rows.sort((a, b) => a.featureTime - b.featureTime);
  const kept = rows.filter(({ featureTime }, index) => featureTime !== rows[index - 1]?.featureTime);
  return {
    times: Float64Array.from(kept, ({ featureTime }) => featureTime),
    bidTicks: Float64Array.from(kept, ({ bidTicks }) => bidTicks),
    askTicks: Float64Array.from(kept, ({ askTicks }) => askTicks),
    segments: segmentsOf(kept),
    malformed,
  };
}

function runsOf(minutes: Iterable<MinutePath>, malformed: number[]): RunRow[] {
  const rows: RunRow[] = [];
  let run = 0;
  let lastTick: string | null = null;
  for (const { minute, tick, path } of minutes) {
    const decoded = decodePricePath(path);
    if ("malformed" in decoded) {
      malformed.push(minute);
      lastTick = null;
      continue;
    }
    for (const row of decoded) {
      const goesOn = !row.isBreak && tick === lastTick && rows.at(-1)?.featureTime === row.featureTime - MS_PER_SECOND;
      if (!goesOn) run++;
      lastTick = tick;
      rows.push({ ...row, run });
    }
  }
  return rows;
}

function segmentsOf(rows: readonly RunRow[]): Int32Array {
  let segment = 0;
  let before: RunRow | null = null;
  return Int32Array.from(rows, (row) => {
    const goesOn = before === null || (row.run === before.run && row.featureTime === before.featureTime + MS_PER_SECOND);
    if (!goesOn) segment++;
    before = row;
    return segment;
  });
}
