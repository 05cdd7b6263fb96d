/**
 * The classic form of BitMEX book recorders: a file of each UTC day, a line each interval: `{date, time, prices[2n], volumes[2n]}`, n bids from the worst to the
 * best, then n asks from the best to the worst, as JSON numbers. The time is the interval's end.
 *
 * A book with fewer than n levels on a side has no line: the form has no place for what is missing. They are counted.
 */

import { join } from "node:path";
import { formatSteps } from "../../core/units/decimal.ts";
import { LineFile } from "../line-file.ts";
import type { BookSample } from "./book-sampler.ts";
import type { Grids } from "./tables.ts";

export interface WrittenFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

export class RecorderFiles {
  /** Samples that had too few levels. */
  tooShallow = 0;
  readonly written: WrittenFile[] = [];
  private readonly folder: string;
  private readonly levels: number;
  private readonly grids: Grids;
  private day: { date: string; file: LineFile; rows: number } | null = null;

  constructor(folder: string, { levels, grids }: { levels: number; grids: Grids }) {
    this.folder = folder;
    this.levels = levels;
    this.grids = grids;
  }

  async add({ time, bids, asks }: BookSample): Promise<void> {
    if (bids.length < this.levels || asks.length < this.levels) {
      this.tooShallow++;
      return;
    }
    const { tick, lot } = this.grids;
    const [date = "", clock = ""] = new Date(time).toISOString().replace("Z", "").split("T");
    const levels = [...bids.slice(0, this.levels).reverse(), ...asks.slice(0, this.levels)];
    const prices = levels.map(([ticks]) => plainNumber(formatSteps(ticks, tick)));
    const volumes = levels.map(([, lots]) => plainNumber(formatSteps(lots, lot)));
    const day = await this.dayOf(date);
    day.rows++;
    // Written by hand: a number of JSON.stringify has been through a double.
    const head = `{"date":"${date}","time":"${clock.replace(/\.000$/, "")}"`;
    day.file.line(`${head},"prices":[${prices.join(",")}],"volumes":[${volumes.join(",")}]}`);
    await day.file.drained();
  }

  async close(): Promise<void> {
    if (this.day === null) return;
    const { file, rows } = this.day;
    this.day = null;
    this.written.push({ path: file.path, rows, bytes: await file.close() });
  }

  private async dayOf(date: string): Promise<{ date: string; file: LineFile; rows: number }> {
    if (this.day?.date === date) return this.day;
    await this.close();
    this.day = { date, file: await LineFile.create(join(this.folder, `${date}.jsonl`)), rows: 0 };
    return this.day;
  }
}

/** "94125.10" is 94125.1: the zeros behind say nothing. */
function plainNumber(decimal: string): string {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal;
}
