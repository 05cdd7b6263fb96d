/**
 * Files of imported market events (`*.events.ndjson`, also `.gz`: what `edgebook import` writes, and `export --as ndjson` gives out) as sources of rows. Each file is one market, and one part
 * of a dataset.
 */

import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { type ReadRecord, type RefusedLine, readEventsFile, readEventsHeader } from "../../archive/events-file.ts";
import type { FeatureRow, FeatureSet } from "../../core/features/contract.ts";
import type { EventsHeader } from "../../core/wire/market-events.ts";
import { CommandError } from "../command-error.ts";
import type { Progress } from "../progress.ts";
import { type EventClock, ImportedMarket } from "./imported-market.ts";
import type { TargetRule } from "./unbroken-feed.ts";

export interface ImportedSource {
  readonly kind: "imported";
  readonly path: string;
  readonly header: EventsHeader;
  readonly bytes: number;
}

const EVENTS = /(^|\.)events\.ndjson(\.gz)?$/;

export function isImported(path: string): boolean {
  return EVENTS.test(basename(path));
}

/**
 * @param market only this one; null for all.
 * Throws ArchiveError where a file is none of imported events.
 */
export async function importedSources(paths: readonly string[], market: string | null): Promise<ImportedSource[]> {
  const sources: ImportedSource[] = [];
  for (const path of paths) {
    const header = await readEventsHeader(path);
    if (market !== null && header.market !== market) continue;
    sources.push({ kind: "imported", path, header, bytes: (await stat(path)).size });
  }
  return sources;
}

export interface ImportedRunOptions {
  readonly featureSet: FeatureSet;
  /** Of the rows' grid; whole seconds unless told. */
  readonly phaseMs?: number;
  readonly silenceMs: number | null;
  readonly rule: TargetRule;
  readonly onRow: (row: FeatureRow) => void;
  /** Awaited between blocks of events: the place to wait for a disk. */
  readonly onBlock: () => Promise<void>;
  readonly progress: Progress;
}

/** Takes all events of a source. `malformed`: lines that were none. Throws ArchiveError where the file can't be read to its end. */
export async function runImported(
  source: ImportedSource,
  options: ImportedRunOptions,
): Promise<{ market: ImportedMarket; malformed: number }> {
  const { path, header, bytes } = source;
  const { progress } = options;
  let done = 0;
  progress.start(`${header.market} ${header.source}`, bytes);
  const blocks = readEventsFile(path, header, (read) => {
    done += read;
    progress.update(done);
  });
  const taken = await takeImported(blocks, source, options);
  progress.stop();
  return taken;
}

export type ImportedBlock = readonly (ReadRecord | RefusedLine)[];

/** Takes the events that it is given as those of `source`. Throws CommandError where there is none. */
export async function takeImported(
  blocks: AsyncIterable<ImportedBlock>,
  { path, header }: Pick<ImportedSource, "path" | "header">,
  { onBlock, ...options }: Omit<ImportedRunOptions, "progress">,
): Promise<{ market: ImportedMarket; malformed: number }> {
  let market: ImportedMarket | null = null;
  let malformed = 0;
  for await (const block of blocks) {
    market ??= new ImportedMarket({ ...options, symbol: header.market, clock: clockOf(block) });
    for (const item of block) {
      if ("record" in item) {
        market.take(item.record);
        continue;
      }
      malformed++;
      market.lostLine();
    }
    await onBlock();
  }
  if (market === null) throw new CommandError(`${path} holds no event: import it again`);
  return { market, malformed };
}

/** A source tells the venue's time of everything, or of nothing (but of snapshots, which some venues don't date): its first events show which. */
function clockOf(block: ImportedBlock): EventClock {
  const isDated = block.some((item) => "record" in item && item.record.kind !== "gap" && item.record.venueTime !== null);
  return isDated ? "venue" : "receive";
}

/** Where the rows came from, for the card: the files that were imported, and what the import made up. */
export function sourceNameOf({ source, market, sideInferred }: EventsHeader): string {
  const sides = sideInferred === undefined ? "" : ` (${SIDES_BY}${sideInferred})`;
  return `${source === "" ? market : source}${sides}`;
}

const SIDES_BY = "takers' sides by ";

/** @param sourceName a part's, in a card. Whether the import worked sides out already: what is without one then, no rule tells. */
export function hasInferredSides(sourceName: string): boolean {
  return sourceName.includes(`(${SIDES_BY}`);
}
