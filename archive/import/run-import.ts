/**
 * Runs an import: foreign files in, one events file for each market out, and a report of what was taken, what was refused and why.
 *
 * Read twice unless the grids are known: first to find the coarsest tick and lot on which every price and size lies exactly, then to write. A file
 * that can't be read to its end (cut, damaged) ends the import there: what came before is written, and the report says where and why.
 */

import { basename, join } from "node:path";
import { formatSteps } from "../../core/units/decimal.ts";
import { GridFinder } from "../../core/units/grid-finder.ts";
import { type EventsHeader, encodeEventsHeader, encodeMarketRecord, type MarketRecord } from "../../core/wire/market-events.ts";
import { ArchiveError } from "../archive-error.ts";
import type { ArchiveProgress } from "../archive-progress.ts";
import { eventsFileName, type RefusedLine } from "../events-file.ts";
import { type InputFile, inputFiles } from "../input-files.ts";
import { LineFile } from "../line-file.ts";
import type { ForeignEvent, ForeignRefusal, ForeignSource, Importer, ImportOptions } from "./foreign.ts";
import { LostChanges } from "./lost-changes.ts";
import { type Grids, onGrids, seeNumbers } from "./onto-grids.ts";
import { SideInference } from "./side-inference.ts";

export interface RunImportOptions extends ImportOptions {
  /** Folder to write. */
  readonly out: string;
  /** Grids that are known better than from the files, by symbol. */
  readonly grids: ReadonlyMap<string, Grids>;
  /** What to do with trades whose source tells no side. */
  readonly sides: "as-given" | "inferred";
  readonly progress: ArchiveProgress;
}

export interface MarketReport {
  readonly market: string;
  readonly file: string;
  readonly bytes: number;
  readonly tick: string;
  readonly lot: string;
  /** Where the grids come from. */
  readonly grids: "inferred" | "given" | "of the file";
  readonly from: number | null;
  readonly to: number | null;
  readonly records: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly levels: number;
  /** By reason. */
  readonly gaps: Readonly<Record<string, number>>;
  readonly gapMs: number;
  /** Changes of the book between a line that could not be read and the next whole book: not written. */
  readonly withheld: number;
  /** Records received before the one that stands in front of them. */
  readonly outOfOrder: number;
  readonly sidesInferred: number;
}

export interface ImportReport {
  readonly format: string;
  readonly source: string;
  readonly markets: readonly MarketReport[];
  readonly refused: number;
  readonly refusedBy: Readonly<Record<string, number>>;
  /** The first twenty, each with file and line. */
  readonly refusedSamples: readonly string[];
  /** Why the files could not be read to their end; null when they were. */
  readonly failure: string | null;
}

const KEPT_SAMPLES = 20;
/** Reasons told apart; a hostile file could make up as many as it has lines. */
const MAX_REASONS = 100;
/** Each market is a file held open. */
const MAX_MARKETS = 1_000;

/** Throws ArchiveError when there is nothing to import at all. */
export async function runImport(importer: Importer, paths: readonly string[], options: RunImportOptions): Promise<ImportReport> {
  const files = await inputFiles(paths, (name) => importer.fileName.test(name));
  const source = await importer.open(files, options);
  const finders = source.headers === undefined ? await survey(source, files, options) : new Map<string, Finders>();
  const refusals = new Refusals();
  const refusedIn = new Map<string, number>();
  const writers = new Map<string, MarketWriter>();
  const failure = await drain(source, files, { label: `${importer.format}: writing`, progress: options.progress }, async (items) => {
    for (const item of items) {
      if ("refused" in item) {
        refusals.add(item);
        if (source.tellsLosses === true || item.isOfNoBook === true) continue;
        refusedIn.set(item.file, (refusedIn.get(item.file) ?? 0) + 1);
        for (const writer of writers.values()) writer.lost.refused(item.file);
      } else {
        const writer = writers.get(item.market) ?? (await openWriter(item.market, { source, finders, refusedIn, options }));
        writers.set(item.market, writer);
        const refused = writer.write(item);
        if (refused !== null) refusals.add({ refused, file: item.file, line: item.line });
      }
    }
    for (const writer of writers.values()) await writer.drained();
  });
  const markets: MarketReport[] = [];
  for (const writer of writers.values()) markets.push(await writer.close());
  if (markets.length === 0) throw new ArchiveError(failure ?? `nothing to import: ${refusals.samples[0] ?? "no record in these files"}`);
  const { total, byReason, samples } = refusals;
  return {
    format: importer.format,
    source: source.name,
    markets,
    refused: total,
    refusedBy: Object.fromEntries(byReason),
    refusedSamples: samples,
    failure,
  };
}

interface Finders {
  readonly tick: GridFinder;
  readonly lot: GridFinder;
}

async function survey(source: ForeignSource, files: readonly InputFile[], { progress }: RunImportOptions): Promise<Map<string, Finders>> {
  const finders = new Map<string, Finders>();
  await drain(source, files, { label: "finding tick and lot", progress }, async (items) => {
    for (const item of items) {
      if ("refused" in item) continue;
      const known = finders.get(item.market) ?? { tick: new GridFinder(), lot: new GridFinder() };
      if (!finders.has(item.market)) finders.set(item.market, known);
      if (finders.size > MAX_MARKETS) throw new ArchiveError(`${item.file}: more than ${MAX_MARKETS} markets: import them in parts`);
      seeNumbers(item.record, known);
    }
  });
  return finders;
}

/** @returns why the source could not be read to its end, null when it was. */
async function drain(
  source: ForeignSource,
  files: readonly InputFile[],
  { label, progress }: { label: string; progress: ArchiveProgress },
  take: (items: readonly (ForeignEvent | ForeignRefusal)[]) => Promise<void>,
): Promise<string | null> {
  let done = 0;
  progress.start(
    label,
    files.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  const items = source
    .items((bytes) => {
      done += bytes;
      progress.update(done);
    })
    [Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await items.next().catch(unreadable);
      if (typeof next === "string") return next;
      if (next.done === true) return null;
      await take(next.value);
    }
  } finally {
    progress.stop();
  }
}

function unreadable(error: unknown): string {
  if (error instanceof ArchiveError) return error.message;
  throw error;
}

interface WriterSetup {
  readonly source: ForeignSource;
  readonly finders: ReadonlyMap<string, Finders>;
  readonly refusedIn: ReadonlyMap<string, number>;
  readonly options: RunImportOptions;
}

async function openWriter(market: string, { source, finders, refusedIn, options }: WriterSetup): Promise<MarketWriter> {
  const brought = source.headers?.get(market);
  const given = options.grids.get(market.slice(market.indexOf(":") + 1));
  const found = finders.get(market);
  const grids = given ?? brought ?? { tick: (found?.tick ?? new GridFinder()).grid, lot: (found?.lot ?? new GridFinder()).grid };
  const rule = options.sides === "inferred" && brought?.sideInferred === undefined ? SideInference.RULE : undefined;
  const header: EventsHeader = {
    ...(brought ?? { market, source: source.name, ...(source.bookLevels === undefined ? {} : { bookLevels: source.bookLevels }) }),
    tick: grids.tick,
    lot: grids.lot,
    ...(rule === undefined ? {} : { sideInferred: rule }),
  };
  const file = await LineFile.create(join(options.out, eventsFileName(market)));
  const origin = given !== undefined ? "given" : brought !== undefined ? "of the file" : "inferred";
  const lost = new LostChanges(refusedIn);
  return new MarketWriter(file, header, { origin, lost, sides: rule === undefined ? null : new SideInference() });
}

interface WriterParts {
  readonly origin: MarketReport["grids"];
  readonly lost: LostChanges;
  readonly sides: SideInference | null;
}

class MarketWriter {
  readonly lost: LostChanges;
  private readonly file: LineFile;
  private readonly header: EventsHeader;
  private readonly origin: MarketReport["grids"];
  private readonly sides: SideInference | null;
  private readonly byKind = new Map<string, number>();
  private readonly gaps = new Map<string, number>();
  private from: number | null = null;
  private to: number | null = null;
  private records = 0;
  private levels = 0;
  private gapMs = 0;
  private outOfOrder = 0;
  private sidesInferred = 0;

  constructor(file: LineFile, header: EventsHeader, { origin, lost, sides }: WriterParts) {
    this.lost = lost;
    this.file = file;
    this.header = header;
    this.origin = origin;
    this.sides = sides;
    file.line(encodeEventsHeader(header));
  }

  /** @returns why the event was refused, null when it was taken. */
  write({ record: foreign, file, isPartial = false }: ForeignEvent): string | null {
    const given = onGrids(foreign, this.header);
    if (!("refused" in given)) for (const record of this.lost.take(given, { file, isPartial })) this.put(record);
    else if (foreign.kind === "snapshot" || foreign.kind === "depth") this.lost.lostBook();
    return "refused" in given ? given.refused : null;
  }

  drained(): Promise<void> {
    return this.file.drained();
  }

  async close(): Promise<MarketReport> {
    for (const record of this.lost.end()) this.put(record);
    const { header, from, to, records, levels, gapMs, outOfOrder, sidesInferred } = this;
    const bytes = await this.file.close();
    return {
      market: header.market,
      file: this.file.path,
      bytes,
      tick: formatSteps(1, header.tick),
      lot: formatSteps(1, header.lot),
      grids: this.origin,
      from,
      to,
      records,
      byKind: Object.fromEntries(this.byKind),
      levels,
      gaps: Object.fromEntries(this.gaps),
      gapMs,
      withheld: this.lost.withheld,
      outOfOrder,
      sidesInferred,
    };
  }

  private put(given: MarketRecord): void {
    const record = this.sides?.take(given) ?? given;
    if (record !== given) this.sidesInferred++;
    this.file.line(encodeMarketRecord(record, this.header));
    this.count(record);
  }

  private count(record: MarketRecord): void {
    this.records++;
    this.byKind.set(record.kind, (this.byKind.get(record.kind) ?? 0) + 1);
    if (this.to !== null && record.receivedAt < this.to) this.outOfOrder++;
    this.from ??= record.receivedAt;
    this.to = Math.max(this.to ?? record.receivedAt, record.receivedAt);
    if (record.kind === "snapshot" || record.kind === "depth") this.levels += record.bids.length + record.asks.length;
    if (record.kind !== "gap") return;
    if (this.gaps.size < MAX_REASONS || this.gaps.has(record.reason)) this.gaps.set(record.reason, (this.gaps.get(record.reason) ?? 0) + 1);
    this.gapMs += record.to === null ? 0 : record.to - record.from;
  }
}

class Refusals {
  total = 0;
  readonly byReason = new Map<string, number>();
  readonly samples: string[] = [];

  add({ refused, file, line }: RefusedLine): void {
    this.total++;
    // The reason without the text that it quotes, so that a thousand bad lines are one row of the report.
    const reason = refused.split(":")[0] as string;
    if (this.byReason.size < MAX_REASONS || this.byReason.has(reason)) this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + 1);
    if (this.samples.length < KEPT_SAMPLES) this.samples.push(`${basename(file)} line ${line}: ${refused}`);
  }
}
