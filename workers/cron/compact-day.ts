/**
 * One market's day of minute objects becomes a day file, in steps that each fit into a cron run.
 *
 * 1. What is stored of the day and in no file of it yet is listed: the sources. Their digest names the work, so that others are other work.
 * 2. A step reads so many of them, and writes what the file goes on with, and where it stands, as an object where none is.
 * 3. After the last source the steps become one object, under a key that names its content; each of its blocks was decoded again when it was written.
 * 4. It is read back, all of it, and its chain proved. Only then is there a row that names it.
 *
 * Whatever breaks off is done again by the next run; two runs at once write the same bytes under the same names. What comes later than
 * the row is the day's next part: nothing that a row names is ever changed.
 */

import { gunzipSync } from "node:zlib";
import { marketId } from "../../core/market/instrument.ts";
import { startOfDay } from "../../core/units/time.ts";
import { hex } from "../../core/wire/day-file/format.ts";
import type { DayFileKernel } from "../../core/wire/day-file/kernel.ts";
import { DayFileWriter } from "../../core/wire/day-file/writer.ts";
import { dayFileKey, dayWorkKey, dayWorkPrefix, MAX_DAY_PARTS } from "../../core/wire/keys.ts";
import kernelModule from "../../kernels/day-file/day-file.wasm";
import type { Database } from "../storage/database.ts";
import { assemble, proveStored, putStep, readState, type Step, stepOf, type WorkState } from "../storage/day-files.ts";
import { isIncluded, sourcesOf } from "../storage/day-sources.ts";
import { addDay, type DayRow, readCovered, readDayParts, sha256 } from "../storage/days.ts";
import type { MeteredBucket, Operations } from "../storage/metered-bucket.ts";
import { findDayTapes, listPages, readPieces, type TapePiece } from "../storage/read-tapes.ts";

/** Of text: a block is decoded and encoded in the memory of an isolate (128 MB) that also answers requests. */
export const BLOCK_BYTES = 4 * 1024 * 1024;
/** Text of one step: what comes of it is held until it is stored. */
export const STEP_TEXT_BYTES = 32 * 1024 * 1024;
/** Reads at once: the platform opens six connections. */
const READS_AT_ONCE = 6;
/** Text of one piece, at most: a minute of a market. Beyond it the day fails, visibly, rather than the isolate. */
const MOST_PIECE_TEXT = 48 * 1024 * 1024;
/** The day's listing, the parts' rows, the steps' listing, the state, the step. */
const CALLS_PER_STEP = 10;

export interface CompactionStores {
  readonly database: Database;
  readonly bucket: MeteredBucket;
}

export interface MarketDay {
  readonly venue: string;
  readonly symbol: string;
  readonly day: string;
}

export interface StepLimits {
  /** To the stores: a step takes no more than these, but for the first source. */
  readonly calls: number;
  readonly textBytes: number;
  /** Text of one block: the same for all steps of a file. */
  readonly blockBytes: number;
  readonly now: number;
}

export type StepOutcome =
  /** Nothing of the day is without a file. */
  | { readonly kind: "nothing" }
  | { readonly kind: "step"; readonly textBytes: number }
  | { readonly kind: "done"; readonly key: string; readonly bytes: number };

/** @throws what a store throws, or what is wrong with the tapes: what was stored before stays right. */
export async function compactStep(stores: CompactionStores, of: MarketDay, limits: StepLimits): Promise<StepOutcome> {
  const { bucket, database } = stores;
  const before = bucket.operations();
  const market = marketId(of.venue, of.symbol);
  const dayStart = startOfDay(of.day);
  if (dayStart === null) throw new Error(`no such day: ${of.day}`);
  const parts = await readDayParts(database, market, of.day);
  const found = await findDayTapes(bucket.r2, of, of.day);
  const pieces = found.minutes.flatMap((minute) => minute.pieces).filter((piece) => !isIncluded(piece, parts, dayStart));
  if (pieces.length === 0) {
    await removeWork(bucket.r2, of);
    return { kind: "nothing" };
  }
  const prefix = dayWorkPrefix(of, of.day, await nameOf(pieces));
  const steps: Step[] = [];
  for await (const page of listPages(bucket.r2, prefix)) steps.push(...page.map(stepOf));
  if (steps.some(({ key }, index) => key !== dayWorkKey(prefix, index))) {
    // Another run took the work away, and a third wrote a step of it yet.
    await removeWork(bucket.r2, of);
    return { kind: "step", textBytes: 0 };
  }
  const last = steps.at(-1);
  const state = last === undefined ? BEGINNING : await readState(bucket.r2, last);
  if (state.finished === null) return takeStep(bucket, { ...of, prefix, steps, state, pieces, before }, limits);
  return finish(stores, { ...of, steps, state, pieces, parts, dayStart, before }, limits.now);
}

const BEGINNING: WorkState = {
  next: 0,
  writer: { head: null, offset: 0, blocks: [], waiting: new Uint8Array(0) },
  classA: 0,
  classB: 0,
  finished: null,
};

interface Ongoing extends MarketDay {
  readonly prefix: string;
  readonly steps: readonly Step[];
  readonly state: WorkState;
  readonly pieces: readonly TapePiece[];
  /** What the run had asked of the bucket before this step. */
  readonly before: Operations;
}

/** One for each step: its memory, some six times a block's text, goes with it. */
function openKernel(): DayFileKernel {
  return new WebAssembly.Instance(kernelModule, {}).exports as unknown as DayFileKernel;
}

async function takeStep(bucket: MeteredBucket, work: Ongoing, limits: StepLimits): Promise<StepOutcome> {
  const { pieces, state } = work;
  const writer = new DayFileWriter({
    market: marketId(work.venue, work.symbol),
    day: work.day,
    digest: sha256,
    blockBytes: limits.blockBytes,
    proof: "decoded",
    kernel: openKernel(),
    from: state.writer,
  });
  const out: Uint8Array[] = [];
  let next = state.next;
  let textBytes = 0;
  const end = Math.min(pieces.length, state.next + Math.max(1, limits.calls - CALLS_PER_STEP));
  while (next < end && textBytes < limits.textBytes) {
    const batch = pieces.slice(next, Math.min(end, next + READS_AT_ONCE));
    for (const bytes of await Promise.all(batch.map((piece) => readPieces(bucket.r2, [piece])))) {
      const text = gunzipSync(bytes, { maxOutputLength: MOST_PIECE_TEXT });
      out.push(await writer.push(text));
      textBytes += text.byteLength;
    }
    next += batch.length;
  }
  const counts = countsOf(bucket, work, 1);
  const isLast = next === pieces.length;
  const last = isLast ? await writer.finish() : null;
  if (last !== null) out.push(last.bytes);
  const file = joined(out);
  const bytes = work.steps.reduce((sum, { fileBytes }) => sum + fileBytes, file.byteLength);
  const finished =
    last === null ? null : { head: hex(last.trailer.head), lines: last.trailer.lines, textBytes: last.trailer.textBytes, bytes };
  // Nothing goes on from there; of its blocks the times are wanted.
  const writerState = last === null ? writer.state() : { ...BEGINNING.writer, blocks: last.trailer.blocks };
  await putStep(bucket.r2, dayWorkKey(work.prefix, work.steps.length), { state: { next, writer: writerState, ...counts, finished }, file });
  return { kind: "step", textBytes };
}

/** All that the file has cost. @param writes class A operations yet to come. */
function countsOf(bucket: MeteredBucket, { state, before }: Pick<Ongoing, "state" | "before">, writes: number): Operations {
  const now = bucket.operations();
  return { classA: state.classA + now.classA - before.classA + writes, classB: state.classB + now.classB - before.classB };
}

interface Finished extends MarketDay {
  readonly steps: readonly Step[];
  readonly state: WorkState;
  readonly pieces: readonly TapePiece[];
  readonly parts: readonly DayRow[];
  readonly dayStart: number;
  readonly before: Operations;
}

async function finish({ database, bucket }: CompactionStores, work: Finished, now: number): Promise<StepOutcome> {
  const { venue, symbol, day, steps, state, pieces, parts } = work;
  const { finished } = state;
  if (finished === null) throw new Error(`${venue}:${symbol} of ${day} is not finished`);
  const part = parts.length;
  if (part >= MAX_DAY_PARTS) throw new Error(`${venue}:${symbol} has ${MAX_DAY_PARTS} parts of ${day}, and would have more`);
  const market = marketId(venue, symbol);
  const key = dayFileKey({ venue, symbol, day, part, head: finished.head });
  await assemble(bucket.r2, { key, steps, name: { market, day } });
  const proof = await proveStored(bucket.r2, key, { market, day, head: finished.head, bytes: finished.bytes });
  const { blocks } = state.writer;
  const times = blocks.flatMap(({ firstReceivedAt, lastReceivedAt }) => [firstReceivedAt, lastReceivedAt]).filter((time) => time !== null);
  await addDay(database, {
    ...{
      market,
      day,
      part,
      key,
      head: proof.head,
      bytes: finished.bytes,
      blocks: proof.blocks,
      lines: proof.lines,
      textBytes: proof.textBytes,
    },
    firstReceivedAt: times.length === 0 ? null : Math.min(...times),
    lastReceivedAt: times.length === 0 ? null : Math.max(...times),
    ...sourcesOf(pieces, work.dayStart),
    tapeBytes: pieces.reduce((sum, { bytes }) => sum + bytes, 0),
    coveredMs: await readCovered(database, market, work.dayStart),
    ...countsOf(bucket, work, 0),
    compactedAt: now,
  });
  await removeWork(bucket.r2, work);
  return { kind: "done", key, bytes: finished.bytes };
}

/** Of all sources: what was begun with others is of no use any more. */
async function removeWork(bucket: R2Bucket, of: MarketDay): Promise<void> {
  for await (const page of listPages(bucket, dayWorkPrefix(of, of.day))) {
    if (page.length > 0) await bucket.delete(page.map(({ key }) => key));
  }
}

/** The same objects in the same order, and no others. */
async function nameOf(pieces: readonly TapePiece[]): Promise<string> {
  const text = pieces.map(({ key, etag, offset, bytes }) => `${key} ${etag} ${offset} ${bytes}`).join("\n");
  return hex(await sha256(new TextEncoder().encode(text))).slice(0, 16);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
