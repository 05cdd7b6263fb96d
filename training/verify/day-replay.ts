/**
 * A market's day files through the feed's own reducer, in one pass with the proof of their hashes: the books of the checkpoints on the tape, and of
 * each minute's end, to be compared with what the feed wrote down when it was live.
 */

import { featureSetV1 } from "../../core/features/registry.ts";
import { parseMarketId } from "../../core/market/instrument.ts";
import { decodeTapeLine, type TapeRecord } from "../../core/wire/tape.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";

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
  readonly checkpointMismatches: number;
  readonly gaps: number;
  /** Of every minute that closed. */
  readonly minutes: readonly MinuteBook[];
}

/** A line of a tape that is none is counted, and so much of it is no tape. */
const NO_REPLAY: DayOutcome = { records: 0, malformedLines: 0, checkpoints: 0, checkpointMismatches: 0, gaps: 0, minutes: [] };

/** Goes on from day to day with one book, as the feed did. */
export class MarketReplay {
  private reducer: FeedReducer | null = null;
  private readonly market: string;
  private mismatchesBefore = 0;

  constructor(market: string) {
    this.market = market;
  }

  /** @param blocks of lines, of one day. */
  async day(blocks: AsyncIterable<readonly string[]>): Promise<DayOutcome> {
    const counts = { ...NO_REPLAY, minutes: [] as MinuteBook[] };
    for await (const lines of blocks) {
      for (const line of lines) {
        if (line === "") continue;
        counts.records++;
        const record = decodeTapeLine(line);
        if ("malformed" in record) counts.malformedLines++;
        else if (this.take(record)) counts.checkpoints++;
      }
      counts.gaps += this.reducer?.takeGapChanges().filter(({ to }) => to !== null).length ?? 0;
      counts.minutes.push(...this.closedMinutes());
    }
    const mismatches = this.tracker?.checkpointMismatches ?? 0;
    counts.checkpointMismatches = mismatches - this.mismatchesBefore;
    this.mismatchesBefore = mismatches;
    return counts;
  }

  private get tracker(): { checkpointMismatches: number } | null {
    return this.reducer?.markets.get(parseMarketId(this.market)?.symbol ?? "") ?? null;
  }

  /** @returns whether it was a checkpoint. */
  private take(record: TapeRecord): boolean {
    if (this.reducer === null) this.reducer = this.begin(record);
    this.reducer?.record(record);
    return record.kind === "checkpoint" && this.reducer !== null;
  }

  /** The grids stand at the head of each minute; what comes before the first of them says nothing of a book. */
  private begin(record: TapeRecord): FeedReducer | null {
    const name = parseMarketId(this.market);
    const adapter = name === null ? null : findAdapter(name.venue);
    if (name === null || adapter === null || record.kind !== "instrument" || record.symbol !== name.symbol) return null;
    const instrument = { ...name, tick: record.tick, lot: record.lot };
    return new FeedReducer({ adapter, instruments: [instrument], featureSet: featureSetV1, frames: "one-market" });
  }

  private closedMinutes(): MinuteBook[] {
    return (this.reducer?.takeClosedMinutes() ?? []).flatMap(({ minute, snapshots }) =>
      snapshots.map(({ bookHash, lastSequence }) => ({ minute, bookHash, lastSequence })),
    );
  }
}

export interface MinuteComparison {
  readonly compared: number;
  /** The first of them, for a person; null when all are alike. */
  readonly fault: string | null;
}

/**
 * Minutes that both sides have a live book of. A replay that begins in the middle has none until the first snapshot or checkpoint, and a book that
 * went stale in silence is one whose silence a tape doesn't tell.
 */
export function compareMinutes(here: readonly MinuteBook[], stored: ReadonlyMap<number, MinuteBook>): MinuteComparison {
  let compared = 0;
  let fault: string | null = null;
  for (const { minute, bookHash, lastSequence } of here) {
    const row = stored.get(minute);
    if (row === undefined || row.bookHash === null || bookHash === null) continue;
    compared++;
    if (row.bookHash === bookHash && row.lastSequence === lastSequence) continue;
    fault ??= `the book at the end of ${new Date(minute).toISOString()} is ${bookHash} at sequence ${lastSequence}, and the stored row has ${row.bookHash} at ${row.lastSequence}`;
  }
  return { compared, fault };
}
