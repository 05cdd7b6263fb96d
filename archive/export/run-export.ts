/**
 * Runs an export: tapes or events files in, a folder for each market out, in one of four forms, and a report of what is in it.
 *
 * | form | files in `<out>/<venue>.<SYMBOL>/` |
 * |---|---|
 * | ndjson | events.ndjson.gz: the events form itself |
 * | csv | header.json, and book, trades, quotes, bars, gaps, minutes as .csv.gz: gaps, and those that have rows |
 * | parquet | the same as .parquet |
 * | recorder | `<yyyy>-<mm>-<dd>.jsonl`: the classic day files |
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type EventsHeader, encodeEventsHeader, encodeMarketRecord, type MarketRecord } from "../../core/wire/market-events.ts";
import { ArchiveError } from "../archive-error.ts";
import type { ArchiveProgress } from "../archive-progress.ts";
import { fileStem } from "../events-file.ts";
import { LineFile } from "../line-file.ts";
import { BookSampler } from "./book-sampler.ts";
import { openCsvTable } from "./csv-table.ts";
import type { EventSource } from "./event-sources.ts";
import { openParquetTable } from "./parquet-table.ts";
import { RecorderFiles, type WrittenFile } from "./recorder-file.ts";
import type { TableFile } from "./table-file.ts";
import { eventTables, HEADER_FILE, minutesTable, rowsOf, type Table, withMarket } from "./tables.ts";

export const exportForms = ["ndjson", "csv", "parquet", "recorder"] as const;
export type ExportForm = (typeof exportForms)[number];

export interface RunExportOptions {
  readonly form: ExportForm;
  /** Folder to write. */
  readonly out: string;
  /** Only this market; null for all. */
  readonly market: string | null;
  /** Between two samples of the book. */
  readonly intervalMs: number;
  /** Levels a side of a sample. */
  readonly levels: number;
  readonly progress: ArchiveProgress;
}

export interface MarketExport {
  readonly market: string;
  readonly source: string;
  readonly records: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly files: readonly WrittenFile[];
  /** Samples of the recorder's form that had too few levels for it. */
  readonly tooShallow: number;
}

export interface ExportReport {
  readonly form: ExportForm;
  readonly markets: readonly MarketExport[];
  readonly refused: number;
  readonly refusedSamples: readonly string[];
  /** Why a source could not be read to its end; null when all were. */
  readonly failure: string | null;
}

const KEPT_SAMPLES = 20;

/** What a market's records become in one form. */
interface MarketSink {
  take(record: MarketRecord): Promise<void>;
  close(): Promise<{ files: readonly WrittenFile[]; tooShallow: number }>;
}

export async function runExport(sources: readonly EventSource[], options: RunExportOptions): Promise<ExportReport> {
  const { form, market, progress } = options;
  const writers = new Map<string, MarketWriter>();
  const samples: string[] = [];
  let refused = 0;
  let failure: string | null = null;
  for (const source of sources) {
    const wanted = new Map(
      source.headers.filter((header) => market === null || header.market === market).map((header) => [header.market, header]),
    );
    if (wanted.size === 0) continue;
    let done = 0;
    progress.start(source.name, source.bytes);
    const onBytes = (bytes: number): void => {
      done += bytes;
      progress.update(done);
    };
    try {
      for await (const block of source.read(onBytes)) {
        for (const item of block) {
          if ("refused" in item) {
            refused++;
            if (samples.length < KEPT_SAMPLES) samples.push(`${item.file} line ${item.line}: ${item.refused}`);
            continue;
          }
          const header = wanted.get(item.market);
          if (header === undefined) continue;
          const writer = writers.get(item.market) ?? (await MarketWriter.open(header, source.name, options));
          writers.set(item.market, writer);
          writer.checkGrids(header, source.name);
          await writer.take(item.record);
        }
      }
    } catch (error) {
      // What came before is written; the report says where it ended.
      if (!(error instanceof ArchiveError)) throw error;
      failure = error.message;
    }
    progress.stop();
    if (failure !== null) break;
  }
  const markets: MarketExport[] = [];
  for (const writer of writers.values()) markets.push(await writer.close());
  if (markets.length === 0)
    throw new ArchiveError(failure ?? `nothing to export${market === null ? "" : ` of ${market}`}: ${samples[0] ?? "no record"}`);
  return { form, markets, refused, refusedSamples: samples, failure };
}

class MarketWriter {
  private readonly header: EventsHeader;
  private readonly source: string;
  private readonly sink: MarketSink;
  private readonly byKind = new Map<string, number>();
  private records = 0;

  static async open(header: EventsHeader, source: string, options: RunExportOptions): Promise<MarketWriter> {
    const folder = join(options.out, fileStem(header.market));
    await mkdir(folder, { recursive: true });
    const sink =
      options.form === "ndjson"
        ? await ndjsonSink(folder, header)
        : options.form === "recorder"
          ? recorderSink(folder, header, options)
          : await tablesSink(folder, header, options);
    return new MarketWriter(header, source, sink);
  }

  private constructor(header: EventsHeader, source: string, sink: MarketSink) {
    this.header = header;
    this.source = source;
    this.sink = sink;
  }

  /** A second file of the same market must lie on the same grids: its integers mean the same. */
  checkGrids({ tick, lot }: EventsHeader, source: string): void {
    const known = this.header;
    const isSame = known.tick.mantissa === tick.mantissa && known.tick.decimals === tick.decimals;
    if (isSame && known.lot.mantissa === lot.mantissa && known.lot.decimals === lot.decimals) return;
    throw new ArchiveError(`${source}: other grids than ${this.source}: join them first by "edgebook import events"`);
  }

  async take(record: MarketRecord): Promise<void> {
    this.records++;
    this.byKind.set(record.kind, (this.byKind.get(record.kind) ?? 0) + 1);
    await this.sink.take(record);
  }

  async close(): Promise<MarketExport> {
    const { header, source, records, byKind } = this;
    return { market: header.market, source, records, byKind: Object.fromEntries(byKind), ...(await this.sink.close()) };
  }
}

async function ndjsonSink(folder: string, header: EventsHeader): Promise<MarketSink> {
  const file = await LineFile.create(join(folder, "events.ndjson.gz"));
  let rows = 0;
  file.line(encodeEventsHeader(header));
  return {
    async take(record) {
      rows++;
      file.line(encodeMarketRecord(record, header));
      await file.drained();
    },
    close: async () => ({ files: [{ path: file.path, rows, bytes: await file.close() }], tooShallow: 0 }),
  };
}

function recorderSink(folder: string, header: EventsHeader, { intervalMs, levels }: RunExportOptions): MarketSink {
  const sampler = new BookSampler({ intervalMs, levels });
  const days = new RecorderFiles(folder, { levels, grids: header });
  return {
    async take(record) {
      for (const sample of sampler.take(record)) await days.add(sample);
    },
    async close() {
      await days.close();
      return { files: days.written, tooShallow: days.tooShallow };
    },
  };
}

/**
 * A table is opened by its first row: a market without bars has no file of bars. The gaps' is always there: that nothing was lost is said, and who asks for the
 * gaps of all markets finds a file.
 */
async function tablesSink(folder: string, header: EventsHeader, options: RunExportOptions): Promise<MarketSink> {
  const open = (table: Table): Promise<TableFile> =>
    options.form === "csv" ? openCsvTable(folder, table, header) : openParquetTable(folder, table, header);
  const files = new Map<string, TableFile>();
  const fileOf = async (table: Table): Promise<TableFile> => {
    const known = files.get(table.name) ?? (await open(withMarket(table)));
    files.set(table.name, known);
    return known;
  };
  const sampler = new BookSampler(options);
  const minutes = minutesTable(options.levels);
  let event = 0;
  await writeFile(join(folder, HEADER_FILE), `${encodeEventsHeader(header)}\n`);
  await fileOf(eventTables.gaps);
  return {
    async take(record) {
      for (const { time, bids, asks } of sampler.take(record)) {
        const depths = Array.from({ length: options.levels }, (_, depth) => [bids[depth], asks[depth]]);
        const values = depths.flatMap(([bid, ask]) => [bid?.[0] ?? null, bid?.[1] ?? null, ask?.[0] ?? null, ask?.[1] ?? null]);
        const file = await fileOf(minutes);
        file.add([header.market, time, ...values]);
        await file.drained();
      }
      const { table, rows } = rowsOf(record, event++);
      const file = await fileOf(eventTables[table]);
      for (const row of rows) file.add([header.market, ...row]);
      await file.drained();
    },
    async close() {
      const written: WrittenFile[] = [];
      for (const file of files.values()) written.push({ path: file.path, rows: file.rows, bytes: await file.close() });
      return { files: written, tooShallow: 0 };
    },
  };
}
