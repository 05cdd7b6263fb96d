/**
 * Writes a dataset folder while the rows come. Feature rows go to disk in blocks; only times, prices and segments stay in memory, since a
 * target needs the price of a later row. The card is written last: a folder without one is an interrupted attempt.
 */

import { createReadStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FEATURE_INTERVAL_MS, type FeatureRow, type FeatureSet } from "../../core/features/contract.ts";
import { labelColumns, labelMoves } from "../../core/labels/moves.ts";
import { CommandError } from "../command-error.ts";
import { CARD_FILE, DATASET_FILES, type DatasetCard, type DatasetFile, type DatasetPart, datasetHash } from "./card.ts";
import { GrowingColumn } from "./growing-column.ts";
import { HashedFile } from "./hashed-file.ts";

/** Feature rows gathered before they are written. */
const BLOCK_ROWS = 4_096;

export interface DatasetWriterOptions {
  readonly folder: string;
  readonly featureSet: FeatureSet;
  readonly horizonsMs: readonly number[];
  /** As typed, for the card. */
  readonly command: readonly string[];
}

/** What is known of a part only when its source has been read. */
export type PartFacts = Pick<DatasetPart, "source" | "market" | "frames" | "malformedFrames" | "gaps">;

export class DatasetWriter {
  private readonly options: DatasetWriterOptions;
  private readonly files: Record<DatasetFile, HashedFile>;
  private readonly parts: DatasetPart[] = [];
  private rows = 0;
  private segments = 0;
  private opened = 0;

  private constructor(options: DatasetWriterOptions) {
    this.options = options;
    const open = (file: DatasetFile): HashedFile => new HashedFile(join(options.folder, DATASET_FILES[file]));
    this.files = {
      features: open("features"),
      targets: open("targets"),
      mask: open("mask"),
      times: open("times"),
      segments: open("segments"),
    };
  }

  /** Makes the folder. The card of an earlier dataset there is removed first: it would no longer be true. */
  static async create(options: DatasetWriterOptions): Promise<DatasetWriter> {
    await mkdir(options.folder, { recursive: true });
    await rm(join(options.folder, CARD_FILE), { force: true });
    return new DatasetWriter(options);
  }

  /** Begins one market of one source. Several may be open at once; they are stored in the order in which they are closed. */
  openPart(): PartWriter {
    const spool = join(this.options.folder, `.part-${this.opened++}.f64`);
    return new PartWriter(spool, this.options.featureSet.columns.length);
  }

  /** Adds a part whose rows have all come. A part without a single warm row is left out. @returns its rows. */
  async closePart(part: PartWriter, facts: PartFacts): Promise<number> {
    const { times, bidTicks, askTicks, segments, spool, coldRows } = await part.close();
    const rows = times.length;
    const back = times.findIndex((time, row) => row > 0 && time <= (times[row - 1] as number));
    if (back > 0) {
      throw new CommandError(
        `${facts.source}: the rows of ${facts.market} step back in time, from ${isoTime(times[back - 1])} to ${isoTime(times[back])}: the recordings overlap, or stand in the wrong order. Name each stretch of time once, oldest first`,
      );
    }
    if (rows > 0) {
      const labels = labelMoves({ times, bidTicks, askTicks, segments }, this.options.horizonsMs);
      for await (const block of createReadStream(spool)) await this.files.features.write(block as Buffer);
      await this.files.targets.write(labels.values);
      await this.files.mask.write(labels.mask);
      await this.files.times.write(times);
      const numbered = this.numberSegments(segments);
      await this.files.segments.write(numbered.ids);
      const from = times[0] as number;
      const to = times[rows - 1] as number;
      const coverage = rows / ((to - from) / FEATURE_INTERVAL_MS + 1);
      this.parts.push({ ...facts, from, to, firstRow: this.rows, rows, segments: numbered.count, coverage, coldRows });
      this.rows += rows;
    }
    await rm(spool, { force: true });
    return rows;
  }

  /** Writes the card. Throws when no row came: an empty dataset helps nobody. */
  async finish(): Promise<DatasetCard> {
    const { featureSet, horizonsMs, folder, command } = this.options;
    const files = {
      features: await this.files.features.close(),
      targets: await this.files.targets.close(),
      mask: await this.files.mask.close(),
      times: await this.files.times.close(),
      segments: await this.files.segments.close(),
    };
    if (this.rows === 0) {
      const warmup = featureSet.warmupMs / 1_000;
      throw new CommandError(
        `no feature row came out of these sources: a row needs a synced book and ${warmup} s of unbroken feed before it. Try \`edgebook replay FILE\` to see what is in them.`,
      );
    }
    const { id, fingerprint, columns, warmupMs } = featureSet;
    const unsigned = {
      format: "edgebook-dataset/1" as const,
      featureSet: { id, fingerprint, columns: [...columns], warmupMs },
      intervalMs: FEATURE_INTERVAL_MS,
      targets: labelColumns(horizonsMs),
      unit: "bps" as const,
      rows: this.rows,
      from: Math.min(...this.parts.map((part) => part.from)),
      to: Math.max(...this.parts.map((part) => part.to)),
      parts: this.parts,
      files,
    };
    const card: DatasetCard = { ...unsigned, sha256: datasetHash(unsigned), command: [...command] };
    // Renamed into place: a card is there whole or not at all.
    const path = join(folder, CARD_FILE);
    await writeFile(`${path}.tmp`, `${JSON.stringify(card, null, 2)}\n`);
    await rename(`${path}.tmp`, path);
    return card;
  }

  /** Gives the segments numbers that no other part uses. */
  private numberSegments(segments: Float64Array): { ids: Uint32Array; count: number } {
    const ids = new Uint32Array(segments.length);
    const first = this.segments;
    let last: number | null = null;
    for (let row = 0; row < segments.length; row++) {
      const segment = segments[row] as number;
      if (last !== segment) this.segments++;
      last = segment;
      ids[row] = this.segments - 1;
    }
    return { ids, count: this.segments - first };
  }
}

function isoTime(time: number | undefined): string {
  return time === undefined ? "?" : new Date(time).toISOString();
}

/** The rows of one market, on their way to disk. */
export class PartWriter {
  private readonly columns: number;
  private readonly spool: string;
  private readonly file: HashedFile;
  private readonly block: Float64Array;
  private inBlock = 0;
  private coldRows = 0;
  private pending: Promise<void> = Promise.resolve();
  private readonly times = new GrowingColumn();
  private readonly bidTicks = new GrowingColumn();
  private readonly askTicks = new GrowingColumn();
  private readonly segments = new GrowingColumn();

  constructor(spool: string, columns: number) {
    this.columns = columns;
    this.spool = spool;
    this.file = new HashedFile(spool);
    this.block = new Float64Array(BLOCK_ROWS * columns);
  }

  /** Takes a copy of the row; rows whose windows are not full are counted and dropped. */
  add(row: FeatureRow): void {
    if (!row.isWarm) {
      this.coldRows++;
      return;
    }
    this.block.set(row.row, this.inBlock * this.columns);
    this.times.push(row.featureTime);
    this.bidTicks.push(row.bidTicks);
    this.askTicks.push(row.askTicks);
    this.segments.push(row.segment);
    if (++this.inBlock === BLOCK_ROWS) this.flush();
  }

  /** Everything written so far is with the disk. Call now and then, so that a fast source does not outrun it. */
  drained(): Promise<void> {
    return this.pending;
  }

  async close(): Promise<{
    times: Float64Array;
    bidTicks: Float64Array;
    askTicks: Float64Array;
    segments: Float64Array;
    spool: string;
    coldRows: number;
  }> {
    this.flush();
    await this.pending;
    await this.file.close();
    const { times, bidTicks, askTicks, segments, spool, coldRows } = this;
    return { times: times.values, bidTicks: bidTicks.values, askTicks: askTicks.values, segments: segments.values, spool, coldRows };
  }

  private flush(): void {
    const block = this.block.slice(0, this.inBlock * this.columns);
    this.inBlock = 0;
    this.pending = this.pending.then(() => this.file.write(block));
  }
}
