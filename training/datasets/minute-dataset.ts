/**
 * A dataset from the minute rows of a running instance (`edgebook pull --snapshots`): one row a minute, moves by the price path of the seconds behind it. Smaller by far than tapes, and enough for models
 * of single rows.
 *
 * A part is a run of one market's minutes on one grid: where tick or lot change, the next begins. The card counts rows by the split label that the instance gave their minutes when it recorded them; `splits`
 * takes the minutes of some labels alone, each block of days a part, so that a run says which days it has seen. Horizons longer than the embargo between labels are refused then: their targets would be prices of another part.
 */

import { basename, dirname } from "node:path";
import type { FeatureSet } from "../../core/features/contract.ts";
import type { LabelKind } from "../../core/labels/moves.ts";
import type { SplitLabel } from "../../core/labels/split.ts";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { MinutePath } from "../../core/wire/joined-path.ts";
import { CommandError } from "../command-error.ts";
import type { Progress } from "../progress.ts";
import type { DatasetCard } from "./card.ts";
import { DatasetWriter, type PartWriter } from "./dataset-writer.ts";
import { looksAtBookAlone, MinuteFeatureRows } from "./minute-feature-rows.ts";
import { type MinuteRecord, minuteFiles, readMinuteFile, refuseStepBack } from "./minute-records.ts";

export interface MinuteDatasetOptions {
  /** Files, or folders of them. */
  readonly paths: readonly string[];
  readonly folder: string;
  readonly featureSet: FeatureSet;
  readonly horizonsMs: readonly number[];
  readonly label: LabelKind;
  /** Only this one; null for all. */
  readonly market: string | null;
  /** Minutes of these labels alone; none for all minutes, labelled or not. */
  readonly splits: readonly SplitLabel[];
  readonly command: readonly string[];
  readonly progress: Progress;
}

/** Throws CommandError where no minute gives a row. What was written by then is taken away, whatever is thrown. */
export async function buildMinuteDataset(options: MinuteDatasetOptions): Promise<DatasetCard> {
  const { folder, featureSet, horizonsMs, label, command, progress } = options;
  const files = await minuteFiles(options.paths);
  const writer = await DatasetWriter.create({ folder, featureSet, horizonsMs, label, command });
  try {
    const last = new Map<string, MinuteRecord>();
    let part = null as MinutePart | null;
    let rows = 0;
    progress.start("minute rows", files.length);
    for (const [index, file] of files.entries()) {
      const { records, malformed } = await readMinuteFile(file);
      // All of a file is of one market.
      if (options.market !== null && records[0]?.market !== options.market) continue;
      for (const record of records) {
        const before = last.get(record.market);
        if (before !== undefined) refuseStepBack(before, record);
        last.set(record.market, record);
        if (part === null || !part.isOf(record)) {
          rows += (await part?.close()) ?? 0;
          part = new MinutePart(writer, record, options);
        }
        part.take(record, `${basename(dirname(file))}/${basename(file)}`);
      }
      part?.refused(malformed);
      await part?.drained();
      progress.update(index + 1);
    }
    progress.stop();
    rows += (await part?.close()) ?? 0;
    if (rows === 0) throw new CommandError(nothingCame(featureSet, options, [...last.values()]));
    return await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

class MinutePart {
  private readonly writer: DatasetWriter;
  private readonly options: MinuteDatasetOptions;
  private readonly first: MinuteRecord;
  private readonly rows: MinuteFeatureRows;
  private readonly part: PartWriter;
  private readonly paths: MinutePath[] = [];
  private readonly gaps: Record<string, number> = {};
  private readonly splits: Record<string, number> = {};
  private readonly schedules = new Set<string>();
  private readonly files: string[] = [];
  private last: MinuteRecord | null = null;
  private records = 0;
  private minutes = 0;
  private malformed = 0;

  constructor(writer: DatasetWriter, first: MinuteRecord, options: MinuteDatasetOptions) {
    this.writer = writer;
    this.options = options;
    this.first = first;
    this.rows = new MinuteFeatureRows(options.featureSet);
    this.part = writer.openPart();
  }

  isOf(record: MinuteRecord): boolean {
    const { market, tick, lot } = this.first;
    const comesBack = this.last !== null && this.isWanted(record) && !this.isWanted(this.last);
    return record.market === market && record.tick === tick && record.lot === lot && !comesBack;
  }

  take(record: MinuteRecord, file: string): void {
    const { minute, tick, pricePath, split } = record;
    if (this.files.at(-1) !== file) this.files.push(file);
    // Prices count whatever a minute's label: a row's targets are of the minutes behind it.
    if (pricePath !== null) this.paths.push({ minute, tick, path: pricePath });
    this.records++;
    // A minute that is missing is taken for one of the label of the minute before it.
    if (this.last !== null && this.isWanted(this.last)) this.count("missing", (minute - this.last.minute) / MS_PER_MINUTE - 1);
    this.last = record;
    if (!this.isWanted(record)) return;
    this.refuseLongHorizons(record);
    const row = this.rows.take(record);
    if (typeof row === "string") {
      this.count(row, 1);
      return;
    }
    this.minutes++;
    this.part.add(row);
    const label = split?.label ?? "none";
    this.splits[label] = (this.splits[label] ?? 0) + 1;
    if (split !== null) this.schedules.add(split.schedule);
  }

  refused(lines: number): void {
    this.malformed += lines;
  }

  drained(): Promise<void> {
    return this.part.drained();
  }

  /** @returns rows. */
  close(): Promise<number> {
    const { minutes, gaps, splits, records, malformed } = this;
    const facts = {
      source: this.files.length > 2 ? `${this.files[0]} to ${this.files.at(-1)}` : this.files.join(", "),
      market: this.first.market,
      frames: records + malformed,
      malformedFrames: malformed,
      gaps,
      minutes,
      splits,
      splitSchedules: [...this.schedules].sort(),
    };
    return this.writer.closePart(this.part, facts, { paths: this.paths });
  }

  private isWanted({ split }: MinuteRecord): boolean {
    const { splits } = this.options;
    return splits.length === 0 || (split !== null && splits.includes(split.label));
  }

  private count(reason: string, minutes: number): void {
    if (minutes === 0) return;
    this.minutes += minutes;
    this.gaps[reason] = (this.gaps[reason] ?? 0) + minutes;
  }

  private refuseLongHorizons({ split }: MinuteRecord): void {
    const longest = Math.max(...this.options.horizonsMs);
    const [, embargo] = /-embargo-(\d+)min$/.exec(split?.schedule ?? "") ?? [];
    if (this.options.splits.length === 0 || embargo === undefined || longest <= Number(embargo) * MS_PER_MINUTE) return;
    throw new CommandError(
      `a horizon of ${longest} ms reaches over the ${embargo} minutes that lie between parts (${split?.schedule}): shorter --horizons, or all minutes without --split`,
    );
  }
}

function nothingCame(featureSet: FeatureSet, { splits, market }: MinuteDatasetOptions, last: readonly MinuteRecord[]): string {
  if (last.length === 0) return `no minute row of ${market ?? "any market"} is in these files`;
  if (splits.length > 0)
    return `no minute of ${splits.join(" or ")} gives a row: \`edgebook dataset --snapshots\` without --split says which labels there are`;
  const stored = last.find(({ features }) => features !== null)?.features?.fingerprint;
  if (looksAtBookAlone(featureSet)) return "no minute has a live book of ten levels a side and a price path";
  return `minute rows hold no rows of ${featureSet.id} (${featureSet.fingerprint})${stored === undefined ? "" : `, but of ${stored}`}: the feed stores its first set, v1 unless configured; volumes-10 can be made of the levels`;
}
