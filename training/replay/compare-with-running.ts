/**
 * A replay against a running instance that was fed the same recording: the same book, and the same sequence, offline and online.
 *
 * Asked is the public API's book of the market. It compares what the contract of the feed promises (BookView: contentHash and
 * proof.lastSequence); an instance that has gone on since then, or has not come as far, is told apart from one that differs.
 */

import { z } from "zod";
import { CommandError } from "../command-error.ts";
import type { ReplayReport } from "./replay-report.ts";

export interface Comparison {
  readonly isEqual: boolean;
  readonly detail: string;
}

const ANSWER_WITHIN_MS = 30_000;

const bookShape = z.looseObject({ contentHash: z.string(), proof: z.looseObject({ lastSequence: z.number().nullable() }) });

/** @param address of the instance, e.g. "http://127.0.0.1:8787". Throws CommandError when it can't be asked. */
export async function compareWithRunning(report: ReplayReport, address: string): Promise<Comparison> {
  const url = new URL(`/v1/markets/${encodeURIComponent(report.market)}/book`, address);
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).catch((error: unknown) => {
    throw new CommandError(`${url} does not answer (${error instanceof Error ? error.message : String(error)}): is it running?`);
  });
  const body: unknown = await response.json().catch(() => null);
  const read = bookShape.safeParse(body);
  if (!response.ok || !read.success)
    throw new CommandError(`${url} answered ${response.status} without a book: ${JSON.stringify(body).slice(0, 300)}`);
  const { contentHash, proof } = read.data;
  if (proof.lastSequence !== report.lastSequence) {
    return {
      isEqual: false,
      detail: `it is at sequence ${proof.lastSequence}, the replay at ${report.lastSequence}: the books can't be compared`,
    };
  }
  if (contentHash !== report.bookHash)
    return { isEqual: false, detail: `book hash ${contentHash} there, ${report.bookHash} here, both at sequence ${report.lastSequence}` };
  return { isEqual: true, detail: `book hash ${contentHash} at sequence ${report.lastSequence}` };
}
