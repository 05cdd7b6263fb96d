/**
 * A replay against a running instance that was fed the same recording: the same book, and the same feature rows, offline and online.
 *
 * Asked are the public API's market (its proof and the digest of its feature rows), its book, and its stored minute snapshots. Each of these is
 * compared only where it speaks of the same point: a book at the same sequence, the digest of as many rows, a row of the same featureTime.
 * An instance that has gone on since, or not come as far, is told apart from one that differs.
 */

import { z } from "zod";
import { CommandError } from "../command-error.ts";
import type { MarketReport } from "./replay-report.ts";

export interface Comparison {
  readonly isEqual: boolean;
  /** One line for each thing compared. */
  readonly lines: readonly string[];
}

const ANSWER_WITHIN_MS = 30_000;
/** Longer than a resync waits after failures. */
const BACK_WITHIN_MS = 90_000;
const ASK_AGAIN_AFTER_MS = 1_000;
const DAY_MS = 86_400_000;

const marketShape = z.looseObject({
  proof: z.looseObject({ lastSequence: z.number().nullable(), comparisons: z.number(), mismatches: z.number() }),
  featureRows: z.looseObject({ count: z.number(), hash: z.string() }),
});
const bookShape = z.looseObject({ contentHash: z.string(), proof: z.looseObject({ lastSequence: z.number().nullable() }) });
const snapshotsShape = z.looseObject({
  snapshots: z.array(
    z.looseObject({ features: z.looseObject({ featureTime: z.number(), fingerprint: z.string(), row: z.array(z.number()) }).nullable() }),
  ),
});

/**
 * @param address of the instance, e.g. "http://127.0.0.1:8787". @param rows of the replay by featureTime, [columns] each.
 * Throws CommandError when it can't be asked.
 */
export async function compareWithRunning(
  report: MarketReport,
  address: string,
  rows: ReadonlyMap<number, readonly number[]>,
): Promise<Comparison> {
  const base = new URL(`/v1/markets/${encodeURIComponent(report.market)}/`, address);
  const market = await ask(new URL(base.href.slice(0, -1)), marketShape);
  const book = await ask(new URL("book?levels=1", base), bookShape);
  const stored = await ask(new URL(`snapshots?limit=500&from=${Date.now() - DAY_MS}`, base), snapshotsShape);
  const verdicts = [compareBook(report, book), compareRows(report, market.featureRows), compareStored(report, stored.snapshots, rows)];
  const { comparisons, mismatches } = market.proof;
  return {
    isEqual: mismatches === 0 && verdicts.every(({ isEqual }) => isEqual),
    lines: [...verdicts.map(({ line }) => line), `there: ${comparisons} comparisons with the venue's quote, ${mismatches} mismatches`],
  };
}

interface Verdict {
  readonly isEqual: boolean;
  readonly line: string;
}

function compareBook(report: MarketReport, book: z.infer<typeof bookShape>): Verdict {
  const { lastSequence } = book.proof;
  if (lastSequence !== report.lastSequence) {
    const line = `book: it is at sequence ${lastSequence}, the replay at ${report.lastSequence}; they can't be compared`;
    return { isEqual: false, line };
  }
  const isEqual = book.contentHash === report.bookHash;
  return { isEqual, line: `book: hash ${book.contentHash} there, ${report.bookHash} here, at sequence ${lastSequence}` };
}

/** The digest runs over the rows of one process: after a restart it began anew, and only the stored rows can be compared. */
function compareRows(report: MarketReport, there: { count: number; hash: string }): Verdict {
  if (there.count !== report.featureRows) {
    return { isEqual: true, line: `features: ${there.count} rows there, ${report.featureRows} here; their digests can't be compared` };
  }
  return {
    isEqual: there.hash === report.rowsHash,
    line: `features: digest of ${there.count} rows ${there.hash} there, ${report.rowsHash} here`,
  };
}

function compareStored(
  report: MarketReport,
  snapshots: z.infer<typeof snapshotsShape>["snapshots"],
  rows: ReadonlyMap<number, readonly number[]>,
): Verdict {
  const unequal: number[] = [];
  let compared = 0;
  for (const { features } of snapshots) {
    const here = features === null || features.fingerprint !== report.fingerprint ? undefined : rows.get(features.featureTime);
    if (features === null || here === undefined) continue;
    compared++;
    if (!here.every((value, column) => Object.is(value, features.row[column]))) unequal.push(features.featureTime);
  }
  const line = `stored minutes: ${compared} feature rows compared bit by bit, ${unequal.length} differ`;
  return { isEqual: unequal.length === 0, line: unequal.length === 0 ? line : `${line}: at ${unequal.slice(0, 5).join(", ")}` };
}

/** A book that is being built again is waited for: a recording that has ended goes stale, is asked for anew, and stands again. */
async function ask<T>(url: URL, shape: z.ZodType<T>): Promise<T> {
  const deadline = Date.now() + BACK_WITHIN_MS;
  for (;;) {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).catch((error: unknown) => {
      throw new CommandError(`${url} does not answer (${error instanceof Error ? error.message : String(error)}): is it running?`);
    });
    const body: unknown = await response.json().catch(() => null);
    const read = shape.safeParse(body);
    if (response.ok && read.success) return read.data;
    if (response.status !== 503 || Date.now() > deadline) {
      throw new CommandError(`${url} answered ${response.status} without what was asked: ${JSON.stringify(body).slice(0, 300)}`);
    }
    await new Promise((again) => setTimeout(again, ASK_AGAIN_AFTER_MS));
  }
}
