/**
 * A market's day files through the feed's own reducer, in one pass with the proof of their hashes: the books of the checkpoints on the tape, and of
 * each minute's end, to be compared with what the feed wrote down when it was live.
 *
 * Grids that have changed begin the books anew, as the feed did. A day's last minute ends with the day.
 */

import { featureSetV1 } from "../../core/features/registry.ts";
import { type Instrument, parseMarketId } from "../../core/market/instrument.ts";
import type { DecimalGrid } from "../../core/units/decimal.ts";
import { type HoleRecord, LostMinutes } from "../../core/wire/lost-minutes.ts";
import { decodeTapeLine, type TapeRecord } from "../../core/wire/tape.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";

/** What a minute's row says of its book. */
export interface MinuteBook {
  readonly minute: number;
  readonly bookHash: string | null;
  readonly lastSequence: number | null;
}

export interface DayOutcome {
  readonly records: number;
  readonly malformedLines: number;
  readonly checkpoints: number;
  /** Those at which the replay had a book of its own; the others gave it one. */
  readonly checkpointsCompared: number;
  readonly checkpointMismatches: number;
  readonly gaps: number;
  /** Minutes within the tape of which it has no record, and doesn't say why; null when there are none. */
  readonly lostMinutes: string | null;
  /** Of every minute that closed. */
  readonly minutes: readonly MinuteBook[];
}

/** A line of a tape that is none is counted, and so much of it is no tape. */
export const NO_REPLAY: DayOutcome = {
  records: 0,
  malformedLines: 0,
  checkpoints: 0,
  checkpointsCompared: 0,
  checkpointMismatches: 0,
  gaps: 0,
  lostMinutes: null,
  minutes: [],
};

type Counts = { -readonly [Key in keyof DayOutcome]: DayOutcome[Key] } & { minutes: MinuteBook[] };

/** Goes on from day to day with one book, as the feed did. */
export class MarketReplay {
  private reducer: FeedReducer | null = null;
  private readonly name: Pick<Instrument, "venue" | "symbol"> | null;
  private mismatchesBefore = 0;
  private readonly lost = new LostMinutes();

  constructor(market: string) {
    this.name = parseMarketId(market);
  }

  /** @param blocks of lines, of one day. @param endsAt when that day ends, epoch ms. */
  async day(blocks: AsyncIterable<readonly string[]>, endsAt: number): Promise<DayOutcome> {
    const counts: Counts = { ...NO_REPLAY, minutes: [] };
    for await (const lines of blocks) {
      for (const line of lines) {
        if (line === "") continue;
        counts.records++;
        const record = decodeTapeLine(line);
        if ("malformed" in record) counts.malformedLines++;
        else {
          this.takeHoles(this.lost.before(record), counts);
          this.take(record, counts);
        }
      }
      this.collect(counts);
    }
    this.takeHoles(this.lost.end(), counts);
    this.reducer?.tick(endsAt);
    this.collect(counts);
    return counts;
  }

  private takeHoles(holes: readonly HoleRecord[], counts: Counts): void {
    for (const hole of holes) {
      counts.lostMinutes ??= hole.reason;
      this.take(hole, counts);
    }
  }

  private take(record: TapeRecord, counts: Counts): void {
    if (record.kind === "instrument") this.useGrids(record, counts);
    if (record.kind === "checkpoint" && this.reducer !== null) {
      counts.checkpoints++;
      if (this.tracker?.state === "live") counts.checkpointsCompared++;
    }
    this.reducer?.record(record);
  }

  /** What comes before the first grids says nothing of a book. */
  private useGrids(record: Extract<TapeRecord, { kind: "instrument" }>, counts: Counts): void {
    const { name } = this;
    const adapter = name === null ? null : findAdapter(name.venue);
    if (name === null || adapter === null || record.symbol !== name.symbol) return;
    const instrument: Instrument = { ...name, tick: record.tick, lot: record.lot };
    const present = this.tracker?.instrument;
    if (present !== undefined && isSameGrid(present.tick, record.tick) && isSameGrid(present.lot, record.lot)) return;
    this.collect(counts);
    this.mismatchesBefore = 0;
    this.reducer = new FeedReducer({ adapter, instruments: [instrument], featureSet: featureSetV1, frames: "one-market" });
  }

  private get tracker(): MarketTracker | null {
    return this.reducer?.markets.get(this.name?.symbol ?? "") ?? null;
  }

  private collect(counts: Counts): void {
    counts.gaps += this.reducer?.takeGapChanges().filter(({ to }) => to !== null).length ?? 0;
    counts.minutes.push(...this.closedMinutes());
    const mismatches = this.tracker?.checkpointMismatches ?? 0;
    counts.checkpointMismatches += mismatches - this.mismatchesBefore;
    this.mismatchesBefore = mismatches;
  }

  private closedMinutes(): MinuteBook[] {
    return (this.reducer?.takeClosedMinutes() ?? []).flatMap(({ minute, snapshots }) =>
      snapshots.map(({ bookHash, lastSequence }) => ({ minute, bookHash, lastSequence })),
    );
  }
}

function isSameGrid(one: DecimalGrid, other: DecimalGrid): boolean {
  return one.mantissa === other.mantissa && one.decimals === other.decimals;
}

export interface MinuteComparison {
  readonly compared: number;
  /** Stored with a book, where the replay has none. */
  readonly notCompared: number;
  /** The first thing wrong, for a person; null when all are alike. */
  readonly fault: string | null;
}

/**
 * The books of stored minutes beside those of a replay, which must have one wherever a row has. Where a row has none nothing is compared: the feed's book
 * went stale in silence, which a tape doesn't tell.
 */
export function compareMinutes(here: readonly MinuteBook[], stored: ReadonlyMap<number, MinuteBook>): MinuteComparison {
  const replayed = new Map(here.map((row) => [row.minute, row]));
  let compared = 0;
  let fault: string | null = null;
  const missing: number[] = [];
  for (const { minute, bookHash, lastSequence } of [...stored.values()].sort((one, other) => one.minute - other.minute)) {
    if (bookHash === null) continue;
    const book = replayed.get(minute);
    if (book === undefined || book.bookHash === null) {
      missing.push(minute);
      continue;
    }
    compared++;
    if (book.bookHash === bookHash && book.lastSequence === lastSequence) continue;
    fault ??= `the book at the end of ${iso(minute)} is ${book.bookHash} at sequence ${book.lastSequence}, and the stored row has ${bookHash} at ${lastSequence}`;
  }
  const [first] = missing;
  if (first !== undefined)
    fault ??= `${missing.length} stored minutes with a book were not compared: the replay has no book at the end of ${iso(first)}`;
  return { compared, notCompared: missing.length, fault };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
