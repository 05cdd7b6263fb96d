/**
 * Writes a dataset folder while the rows come. Feature rows go to disk in blocks; only times, prices and segments stay in memory, since a
 * target needs the prices of other rows. The card is written last: a folder without one is an interrupted attempt.
 */

import { createReadStream } from "node:fs";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FEATURE_INTERVAL_MS, type FeatureRow, type FeatureSet } from "../../core/features/contract.ts";
import { DEFAULT_LABEL_KIND, type LabelColumn, type LabelKind, labelColumns, labelMoves, stepsBehind } from "../../core/labels/moves.ts";
import type { MinutePath } from "../../core/wire/joined-path.ts";
import { CommandError } from "../command-error.ts";
import { makeFolder } from "../make-folder.ts";
import {
  CARD_FILE,
  DATASET_FILES,
  DATASET_FORMAT,
  type DatasetCard,
  type DatasetFile,
  type DatasetFit,
  type DatasetPart,
  datasetHash,
} from "./card.ts";
import { GrowingColumn } from "./growing-column.ts";
import { HashedFile } from "./hashed-file.ts";
import { minuteTargets } from "./minute-targets.ts";
import type { JudgedRows, UnbrokenFeed } from "./unbroken-feed.ts";

/** Feature rows gathered before they are written. */
const BLOCK_ROWS = 4_096;
/** Rows whose targets are in memory at once: some 7 MB. */
const TARGET_ROWS = 65_536;
/** What an attempt that was killed leaves; its other files are written over. */
const SPOOL = /^\.part-\d+\.f64$/;

export interface DatasetWriterOptions {
  readonly folder: string;
  readonly featureSet: FeatureSet;
  readonly horizonsMs: readonly number[];
  /** Point unless told. */
  readonly label?: LabelKind;
  /** What the set's columns took from data, for the card; absent: nothing. */
  readonly fit?: DatasetFit;
  /** As typed, for the card. */
  readonly command: readonly string[];
}

/** What is known of a part only when its source has been read. */
export type PartFacts = Pick<
  DatasetPart,
  "source" | "market" | "frames" | "malformedFrames" | "gaps" | "sidelessTrades" | "phaseMs" | "minutes" | "splits" | "splitSchedules"
>;

/** What says which rows have targets, and by which prices; without it the rows themselves do. */
export interface PartTargets {
  /** Of imported events. */
  readonly feed?: UnbrokenFeed;
  /** Of minute rows: the prices between them. */
  readonly paths?: readonly MinutePath[];
}

export class DatasetWriter {
  private readonly options: DatasetWriterOptions;
  private readonly files: Record<DatasetFile, HashedFile>;
  private readonly parts: DatasetPart[] = [];
  private rows = 0;
  private segments = 0;
  private readonly open: PartWriter[] = [];
  private opened = 0;

  private constructor(options: DatasetWriterOptions) {
    this.options = options;
    const open = (file: DatasetFile): HashedFile => new HashedFile(join(staging(options.folder), DATASET_FILES[file]));
    this.files = {
      features: open("features"),
      targets: open("targets"),
      mask: open("mask"),
      times: open("times"),
      segments: open("segments"),
    };
  }

  /** Makes the folder. An earlier dataset there stays until this one is whole; what an interrupted one left is taken away. */
  static async create(options: DatasetWriterOptions): Promise<DatasetWriter> {
    await makeFolder(options.folder);
    await makeFolder(staging(options.folder));
    for (const name of await readdir(staging(options.folder))) if (SPOOL.test(name)) await rm(join(staging(options.folder), name));
    return new DatasetWriter(options);
  }

  /** Begins one market of one source. Several may be open at once; they are stored in the order in which they are closed. */
  openPart(): PartWriter {
    const spool = join(staging(this.options.folder), `.part-${this.opened++}.f64`);
    const part = new PartWriter(spool, this.options.featureSet.columns.length);
    this.open.push(part);
    return part;
  }

  /**
   * Adds a part whose rows have all come. A part without a single warm row is left out.
   * @param feed which of its rows are of unbroken feed, where its source tells; all are unless told.
   * @returns its rows.
   */
  async closePart(part: PartWriter, facts: PartFacts, { feed, paths }: PartTargets = {}): Promise<number> {
    const { spool, coldRows, ...columns } = await part.close();
    const { times } = columns;
    const rows = times.length;
    const back = times.findIndex((time, row) => row > 0 && time <= (times[row - 1] as number));
    if (back > 0) {
      throw new CommandError(
        `${facts.source}: the rows of ${facts.market} step back in time, from ${isoTime(times[back - 1])} to ${isoTime(times[back])}: the recordings overlap, or stand in the wrong order. Name each stretch of time once, oldest first`,
      );
    }
    if (rows > 0) {
      for await (const block of createReadStream(spool)) await this.files.features.write(block as Buffer);
      const judged = feed?.judge(columns) ?? null;
      if (paths === undefined) await this.writeTargets(columns, judged);
      else await this.writeMinuteTargets(columns, paths);
      await this.files.times.write(times);
      const numbered = this.numberSegments(columns.segments);
      await this.files.segments.write(numbered.ids);
      const from = times[0] as number;
      const to = times[rows - 1] as number;
      const coverage = (rows - (judged?.silentRows ?? 0)) / (facts.minutes ?? (to - from) / FEATURE_INTERVAL_MS + 1);
      // Of simulations the same time comes again under another seed; of one import it can't.
      const twice = feed && this.parts.find((other) => other.unbrokenMs !== undefined && isSameTime(other, { ...facts, from, to }));
      if (twice !== undefined)
        throw new CommandError(
          `${facts.market} is there twice from ${isoTime(Math.max(from, twice.from))} on, of ${twice.source} and of ${facts.source}: name each stretch of time once`,
        );
      const told = feed === undefined || judged === null ? {} : { silentRows: judged.silentRows, ...feed.rule };
      const midTicks = meanMid(columns);
      this.parts.push({ ...facts, from, to, firstRow: this.rows, rows, segments: numbered.count, coverage, midTicks, coldRows, ...told });
      this.rows += rows;
    }
    await rm(spool, { force: true });
    this.open.splice(this.open.indexOf(part), 1);
    return rows;
  }

  /** Takes away what was written: a folder without a card helps nobody, and the disk may be full. What can't be taken away stays. */
  async abandon(): Promise<void> {
    for (const part of this.open) await part.discard();
    for (const file of Object.values(this.files)) await file.discard();
    await rm(staging(this.options.folder), { recursive: true, force: true });
  }

  /** Writes the card. Throws when no row came: an empty dataset helps nobody. */
  async finish(): Promise<DatasetCard> {
    const { featureSet, horizonsMs, label = DEFAULT_LABEL_KIND, fit, folder, command } = this.options;
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
      format: DATASET_FORMAT,
      featureSet: { id, fingerprint, columns: [...columns], warmupMs },
      ...(fit === undefined ? {} : { fit }),
      intervalMs: FEATURE_INTERVAL_MS,
      targets: labelColumns(horizonsMs),
      ...(label === DEFAULT_LABEL_KIND ? {} : { label }),
      unit: "bps" as const,
      rows: this.rows,
      from: Math.min(...this.parts.map((part) => part.from)),
      to: Math.max(...this.parts.map((part) => part.to)),
      parts: this.parts,
      files,
    };
    const card: DatasetCard = { ...unsigned, sha256: datasetHash(unsigned), command: [...command] };
    // Renamed into place: a card is there whole or not at all.
    const written = join(staging(folder), CARD_FILE);
    await writeFile(written, `${JSON.stringify(card, null, 2)}\n`);
    // An earlier card goes first: from here on it would not be of the files beside it.
    await rm(join(folder, CARD_FILE), { force: true });
    for (const name of Object.values(DATASET_FILES)) await rename(join(staging(folder), name), join(folder, name));
    await rename(written, join(folder, CARD_FILE));
    await rm(staging(folder), { recursive: true, force: true });
    return card;
  }

  /** Block by block, each with the rows around it that its first and last targets take prices of. */
  private async writeTargets({ times, bidTicks, askTicks, segments }: PartColumns, judged: JudgedRows | null): Promise<void> {
    const { horizonsMs, label = DEFAULT_LABEL_KIND } = this.options;
    const outputs = labelColumns(horizonsMs).length;
    const ahead = Math.max(...horizonsMs) / FEATURE_INTERVAL_MS;
    const behind = stepsBehind(label, ahead);
    for (let start = 0; start < times.length; start += TARGET_ROWS) {
      const end = Math.min(start + TARGET_ROWS, times.length);
      const first = Math.max(0, start - behind);
      const seen = (column: Float64Array): Float64Array => column.subarray(first, end + ahead);
      const rows = { times: seen(times), bidTicks: seen(bidTicks), askTicks: seen(askTicks), segments: seen(segments) };
      const { columns, ...labels } = labelMoves(rows, horizonsMs, label);
      const values = labels.values.subarray((start - first) * outputs, (end - first) * outputs);
      const mask = labels.mask.subarray((start - first) * outputs, (end - first) * outputs);
      for (let at = 0; judged !== null && at < mask.length; at++) {
        if (
          mask[at] === 0 ||
          mayHave(judged, { row: start + Math.floor(at / outputs), column: columns[at % outputs] as LabelColumn, label })
        )
          continue;
        values[at] = 0;
        mask[at] = 0;
      }
      await this.files.targets.write(values);
      await this.files.mask.write(mask);
    }
  }

  private async writeMinuteTargets(rows: PartColumns, paths: readonly MinutePath[]): Promise<void> {
    const { horizonsMs, label = DEFAULT_LABEL_KIND } = this.options;
    for (const { values, mask } of minuteTargets(rows, paths, { horizonsMs, label })) {
      await this.files.targets.write(values);
      await this.files.mask.write(mask);
    }
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

/** Whether the rule lets a row have the target of a column, as far as that looks ahead and back. */
function mayHave(judged: JudgedRows, { row, column, label }: { row: number; column: LabelColumn; label: LabelKind }): boolean {
  const { horizonMs } = column;
  const steps = horizonMs / FEATURE_INTERVAL_MS;
  const behind = stepsBehind(label, steps);
  return judged.mayTarget(row, row + steps, horizonMs) && (behind === 0 || judged.mayReach(row - behind, row, horizonMs));
}

/** Of rows, at least one. Half ticks add up exactly for longer than a dataset is. */
function meanMid({ bidTicks, askTicks }: PartColumns): number {
  let sum = 0;
  for (let row = 0; row < bidTicks.length; row++) sum += (bidTicks[row] as number) + (askTicks[row] as number);
  return sum / (2 * bidTicks.length);
}

type Stretch = Pick<DatasetPart, "market" | "phaseMs" | "from" | "to">;

function isSameTime(one: Stretch, other: Stretch): boolean {
  return one.market === other.market && one.phaseMs === other.phaseMs && one.from <= other.to && other.from <= one.to;
}

/** Where a dataset is while it is made: all that an attempt leaves when it is killed. */
function staging(folder: string): string {
  return join(folder, ".making");
}

function isoTime(time: number | undefined): string {
  return time === undefined ? "?" : new Date(time).toISOString();
}

/** [rows] each. */
interface PartColumns {
  readonly times: Float64Array;
  readonly bidTicks: Float64Array;
  readonly askTicks: Float64Array;
  readonly segments: Float64Array;
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

  async close(): Promise<PartColumns & { spool: string; coldRows: number }> {
    this.flush();
    await this.pending;
    await this.file.close();
    const { times, bidTicks, askTicks, segments, spool, coldRows } = this;
    return { times: times.values, bidTicks: bidTicks.values, askTicks: askTicks.values, segments: segments.values, spool, coldRows };
  }

  /** Takes its file away. */
  async discard(): Promise<void> {
    await this.pending.catch(() => {});
    await this.file.discard();
  }

  private flush(): void {
    const block = this.block.slice(0, this.inBlock * this.columns);
    this.inBlock = 0;
    this.pending = this.pending.then(() => this.file.write(block));
  }
}
