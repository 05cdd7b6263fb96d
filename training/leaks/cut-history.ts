/**
 * Do rows know what came after them? The records of a source are cut at random moments. The rows of what is left have to be, bit for bit, the first rows
 * of the whole; and with what followed the cut put behind it in a random order, those rows may not move either.
 *
 * A pipeline is whatever makes rows of records, so that a peeking one can be shown to fail. What this can't see: a row that is held back until a later
 * record has come, and holds that one too, is whole wherever it is written. Its time tells: test/core/features-v1.test.ts holds the features to it.
 */

import type { Random } from "../../core/math/random.ts";
import type { LeakVerdict } from "./verdict.ts";

/** Records in the order received → a digest for each row that they gave, its time and prices included. */
export type Pipeline<Item> = (records: readonly Item[]) => Promise<readonly string[]>;

export interface CutOptions {
  readonly random: Random;
  /** How many moments to cut at. Each costs two more runs. */
  readonly cuts: number;
}

/** Cuts nearer to the beginning leave hardly a row: windows are not yet full. */
const EARLIEST_CUT = 0.25;

export interface CutHistory {
  /** Rows, over all cuts; 0: nothing was written before any cut, so the verdicts say nothing. */
  readonly compared: number;
  readonly verdicts: readonly LeakVerdict[];
}

/** Of one market of one source. */
export async function cutHistory<Item>(
  market: string,
  records: readonly Item[],
  { pipeline, random, cuts }: CutOptions & { pipeline: Pipeline<Item> },
): Promise<CutHistory> {
  const whole = await pipeline(records);
  const found = { cut: [] as string[], shuffled: [] as string[] };
  let compared = 0;
  for (let done = 0; done < cuts; done++) {
    const at = Math.floor(records.length * (EARLIEST_CUT + (1 - EARLIEST_CUT) * random.uniform()));
    const kept = records.slice(0, at);
    const rows = await pipeline(kept);
    const shuffled = await pipeline([...kept, ...inRandomOrder(records.slice(at), random)]);
    compared += rows.length;
    noteFirstOther(found.cut, rows, { others: whole, at });
    noteFirstOther(found.shuffled, rows, { others: shuffled, at });
  }
  const looked = { market, compared, cuts, rows: whole.length, records: records.length };
  return { compared, verdicts: [verdictOf("history cut", found.cut, looked), verdictOf("future shuffled", found.shuffled, looked)] };
}

/** `others` has to begin with `rows`. */
function noteFirstOther(found: string[], rows: readonly string[], { others, at }: { others: readonly string[]; at: number }): void {
  const row = rows.findIndex((digest, place) => digest !== others[place]);
  if (row >= 0) found.push(`row ${row} of ${rows.length}, cut behind record ${at}`);
}

interface Looked {
  readonly market: string;
  /** Rows, over all cuts. */
  readonly compared: number;
  readonly cuts: number;
  readonly rows: number;
  readonly records: number;
}

function verdictOf(detector: "history cut" | "future shuffled", found: readonly string[], looked: Looked): LeakVerdict {
  const { market, compared, cuts, rows, records } = looked;
  return {
    detector,
    what: `${market}: ${rows} rows of ${records} records, ${cuts} cuts`,
    found: `${found.length} of ${cuts} cuts change a row; ${compared} rows compared`,
    wanted: "no row changes",
    failure: broken(detector, found),
  };
}

function broken(detector: "history cut" | "future shuffled", [first]: readonly string[]): string | null {
  if (first === undefined) return null;
  return detector === "history cut"
    ? `rows change with what comes after them (${first}): without it they are others`
    : `rows change with the order of what comes after them (${first})`;
}

/** Fisher and Yates' shuffle, of a copy. */
function inRandomOrder<Item>(items: readonly Item[], random: Random): Item[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random.uniform() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as Item, shuffled[last] as Item];
  }
  return shuffled;
}
