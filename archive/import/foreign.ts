/**
 * What every foreign format becomes first: the events of core/wire/market-events.ts with prices and sizes still as the decimals that stood in
 * the file. The grids that they lie on are found by whoever reads them all (run-import.ts), so a format's reader only reads.
 */

import type { TakerSide } from "../../core/units/side.ts";
import type { EventsHeader, GapRecordLine } from "../../core/wire/market-events.ts";
import type { RefusedLine } from "../events-file.ts";
import type { InputFile } from "../input-files.ts";

/** Plain decimals (decimal-text.ts). */
export type TextLevel = readonly [price: string, size: string];

interface Times {
  readonly receivedAt: number;
  readonly venueTime: number | null;
}

export interface ForeignBook extends Times {
  readonly kind: "snapshot" | "depth";
  readonly sequence: number | null;
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

export interface ForeignTrade extends Times {
  readonly kind: "trade";
  readonly tradeId: string | null;
  readonly price: string;
  readonly size: string;
  readonly takerSide: TakerSide | null;
}

export interface ForeignQuote extends Times {
  readonly kind: "quote";
  readonly sequence: number | null;
  readonly bid: readonly [price: string, size: string | null] | null;
  readonly ask: readonly [price: string, size: string | null] | null;
}

export interface ForeignBar extends Times {
  readonly kind: "bar";
  readonly openTime: number;
  readonly closeTime: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly turnover: string | null;
  readonly takerBuyVolume: string | null;
  readonly trades: number | null;
}

export type ForeignRecord = ForeignBook | ForeignTrade | ForeignQuote | ForeignBar | GapRecordLine;

/** Where a record stood: for the refusal, should its numbers turn out unusable. */
export interface ForeignEvent {
  readonly market: string;
  readonly record: ForeignRecord;
  readonly file: string;
  readonly line: number;
  /** A part of it could not be read: behind it the book isn't known. */
  readonly isPartial?: boolean;
}

export interface ForeignRefusal extends RefusedLine {
  /** Whatever it was, no book has lost anything by it. Otherwise each book of its file may have (lost-changes.ts). */
  readonly isOfNoBook?: true;
}

export type ForeignItem = ForeignEvent | ForeignRefusal;

export interface ForeignSource {
  /** For the header: file names, never a path. */
  readonly name: string;
  /** Headers that the files bring with them; theirs are kept, and nothing is inferred. */
  readonly headers?: ReadonlyMap<string, EventsHeader>;
  /** Levels a side that the format shows at most. */
  readonly bookLevels?: number;
  /** Its gaps hold what its refused lines have cost. */
  readonly tellsLosses?: true;
  /** May be called again: the first time finds the grids. What can't be read on is an ArchiveError, thrown behind what came before it. */
  items(onBytes: (bytes: number) => void): AsyncIterable<readonly ForeignItem[]>;
}

export interface ImportOptions {
  /** The market, where the format doesn't say it. */
  readonly market: string | null;
  /** The venue, where the format says only the symbol. */
  readonly venue: string | null;
  /** Time between the rows of a format that has them at equal distance; null for the format's own. */
  readonly intervalMs: number | null;
  /** Only these symbols, of files that hold all of a venue's; absent: the format says whether it can do without. */
  readonly symbols?: readonly string[];
  /** The day that times of day are of, YYYY-MM-DD, where the file names don't say it. */
  readonly date?: string;
  /** How far the exchange's clock stood ahead of UTC, where that is known better than from its time zone. */
  readonly utcOffsetMs?: number;
  /** Tells the venue of a wire capture from its messages, where neither `venue` nor the files' heads do; absent, or null from it: not told. */
  readonly venueOfLines?: VenueOfLines;
}

export type VenueOfLines = (paths: readonly string[]) => Promise<string | null>;

export interface Importer {
  /** As the command line names it. */
  readonly format: string;
  /** One line for its help. */
  readonly what: string;
  /** Which files of a folder are of this format. */
  readonly fileName: RegExp;
  open(files: readonly InputFile[], options: ImportOptions): Promise<ForeignSource>;
}

/** For merging: a refusal comes out at once. */
export function receivedAtOf(item: ForeignItem): number {
  return "refused" in item ? Number.NEGATIVE_INFINITY : item.record.receivedAt;
}
