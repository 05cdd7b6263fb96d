/**
 * A tape as market events: every record goes through the feed's own reducer, and what the reducer made of it is given out (market-records.ts).
 *
 * 1. A book that becomes live, or is replaced by another one (a takeover, a refreshed window), is a snapshot, whatever it was built from (a snapshot and the
 *    frames kept for it, or a checkpoint), as far as all of its levels are known.
 * 2. A depth message that the reducer applied is a depth, whichever connection brought it; one that it dropped, or that broke the book, is none.
 * 3. Trades, and what is numbered or timed of quotes and bars, once each, from either connection. Of a venue's bars, closed ones.
 * 4. A gap is given out where it closes, before the snapshot that closes it; one that is still open stands at the end.
 * 5. Minutes that the tape has lost are a hole (core/wire/lost-minutes.ts): the book ends before them.
 *
 * The book of the records is the reducer's at every point, level for level as far as all of them are known.
 */

import { featureSetV1 } from "../core/features/registry.ts";
import type { Instrument } from "../core/market/instrument.ts";
import { LostMinutes } from "../core/wire/lost-minutes.ts";
import type { MarketRecord } from "../core/wire/market-events.ts";
import { decodeTapeLine, type TapeRecord } from "../core/wire/tape.ts";
import { findAdapter } from "../exchanges/registry.ts";
import { FeedReducer } from "../feed/feed-reducer.ts";
import { ArchiveError } from "./archive-error.ts";
import type { RefusedLine } from "./events-file.ts";
import { gapEvent, MarketRecords } from "./market-records.ts";

export interface TapeBlock {
  readonly file: string;
  readonly lines: readonly string[];
  readonly firstLine: number;
}

/** What is read from a tape, and how. */
export interface TapeMarkets {
  readonly venue: string;
  readonly instruments: readonly Instrument[];
  /** Silences of a book beyond it are gaps; null or absent: as its pace says. */
  readonly silenceMs?: number | null | undefined;
}

export type TapeItem = { readonly market: string; readonly record: MarketRecord } | RefusedLine;

/** Throws ArchiveError for a venue that isn't spoken here. */
export async function* tapeEvents(
  blocks: AsyncIterable<TapeBlock>,
  { venue, instruments, silenceMs }: TapeMarkets,
): AsyncGenerator<TapeItem[]> {
  const replay = new TapeReplay(venue, instruments, silenceMs ?? null);
  const lost = new LostMinutes();
  let last = { file: "", line: 0 };
  for await (const { file, lines, firstLine } of blocks) {
    const items: TapeItem[] = [];
    for (const [index, text] of lines.entries()) {
      if (text === "") continue;
      const record = decodeTapeLine(text);
      last = { file, line: firstLine + index };
      if ("malformed" in record) items.push({ refused: record.malformed, ...last });
      else for (const each of [...lost.before(record), record]) items.push(...replay.take(each, last));
    }
    yield items;
  }
  yield [...lost.end().flatMap((hole) => replay.take(hole, last)), ...replay.end()];
}

/** Feeds records one by one: what `tapeEvents` and the import of wire captures share. */
export class TapeReplay {
  private readonly reducer: FeedReducer;
  private readonly markets: ReadonlyMap<string, MarketRecords>;

  /** @param silenceMs silences of a book beyond it are gaps; null: as its pace says. */
  constructor(venue: string, instruments: readonly Instrument[], silenceMs: number | null = null) {
    const adapter = findAdapter(venue);
    if (adapter === null) throw new ArchiveError(`no adapter speaks the venue "${venue}"`);
    const noted = silenceMs === null ? {} : { silenceMs };
    this.reducer = new FeedReducer({ adapter, instruments, featureSet: featureSetV1, ...noted });
    this.markets = new Map([...this.reducer.markets.values()].map((tracker) => [tracker.market, new MarketRecords(tracker)]));
  }

  take(record: TapeRecord, at: { file: string; line: number }): TapeItem[] {
    const malformedBefore = this.reducer.malformedFrames;
    if (record.kind === "open") for (const records of this.markets.values()) records.connectionOpens();
    this.reducer.record(record);
    this.reducer.takeClosedMinutes();
    this.collectGaps();
    const items: TapeItem[] = [];
    for (const [market, records] of this.markets) for (const out of records.settle(this.reducer.now)) items.push({ market, record: out });
    if (this.reducer.malformedFrames > malformedBefore) {
      items.push({ refused: `a malformed frame: ${this.reducer.malformedSamples.at(-1)?.slice(0, 80)}`, ...at });
    }
    return items;
  }

  /** Gaps still open. */
  end(): TapeItem[] {
    this.collectGaps();
    const { now } = this.reducer;
    return [...this.markets].flatMap(([market, { openGaps }]) =>
      [...openGaps.values()].map((gap): TapeItem => ({ market, record: gapEvent(gap, now) })),
    );
  }

  private collectGaps(): void {
    for (const gap of this.reducer.takeGapChanges()) this.markets.get(gap.market)?.openGaps.set(gap.id, gap);
  }
}
