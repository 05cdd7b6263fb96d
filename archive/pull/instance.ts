/**
 * Asks an instance's API, patiently: what may be better in a moment is asked again, no sooner than Retry-After says; what won't is an ArchiveError that
 * says what the instance said.
 */

import { z } from "zod";
import { ArchiveError } from "../archive-error.ts";

/** Until the headers come; a body takes as long as it comes. */
const ANSWER_WITHIN_MS = 30_000;
/** With doubling waits: some two minutes in all. */
const MOST_TRIES = 8;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A Retry-After beyond it is not waited for. */
const LONGEST_RETRY_AFTER_MS = 300_000;

export type Wait = (ms: number) => Promise<void>;

export class Instance {
  readonly base: URL;
  private readonly wait: Wait;

  /** @param address e.g. "https://edgebook.example.workers.dev". Throws ArchiveError when it is none. */
  constructor(address: string, wait: Wait = (ms) => new Promise((over) => setTimeout(over, ms))) {
    if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
      throw new ArchiveError(`--from ${address}: an address such as https://edgebook.example.com is wanted`);
    this.base = new URL(address);
    this.wait = wait;
  }

  /** A JSON answer. */
  async get<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    return this.patiently(path, async (response) => {
      const read = shape.safeParse(await response.json());
      if (!read.success)
        throw new ArchiveError(`${response.url} answered something else than was asked for: ${z.prettifyError(read.error)}`);
      return read.data;
    });
  }

  /**
   * Asks until an answer with one of these statuses has been taken to its end.
   * @param headers asked for anew at each try: a download goes on where it is.
   */
  async patiently<T>(
    path: string,
    take: (response: Response) => Promise<T>,
    { headers = () => ({}), accepted = [200] }: { headers?: () => Record<string, string>; accepted?: readonly number[] } = {},
  ): Promise<T> {
    const url = new URL(path, this.base);
    for (let tried = 1; ; tried++) {
      let reason: string;
      let retryAfterMs: number | null = null;
      try {
        const response = await fetchWithin(url, headers());
        if (accepted.includes(response.status)) return await take(response);
        reason = await problemOf(response);
        if (!isTransient(response.status)) throw new ArchiveError(`${url.href}: ${reason}`);
        retryAfterMs = retryAfterOf(response);
      } catch (error) {
        if (!isNetworkError(error)) throw error;
        reason = networkReason(error);
      }
      if (tried === MOST_TRIES) throw new ArchiveError(`${url.href}: ${reason} (asked ${tried} times): run it again to go on`);
      if ((retryAfterMs ?? 0) > LONGEST_RETRY_AFTER_MS)
        throw new ArchiveError(`${url.href}: ${reason}; it asks to come again in ${Math.round((retryAfterMs ?? 0) / 1_000)} s`);
      await this.wait(Math.max(retryAfterMs ?? 0, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tried - 1))));
    }
  }
}

/** The connection broke off while a body was coming. */
export class CutOff extends Error {
  override readonly name = "CutOff";
}

async function fetchWithin(url: URL, headers: Record<string, string>): Promise<Response> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(new CutOff(`no answer within ${ANSWER_WITHIN_MS / 1_000} s`)), ANSWER_WITHIN_MS);
  try {
    return await fetch(url, { headers, signal: ending.signal });
  } finally {
    clearTimeout(timer);
  }
}

function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Node's fetch throws TypeError for the network, with the cause. */
function isNetworkError(error: unknown): error is Error {
  return (
    error instanceof CutOff ||
    (error instanceof TypeError && error.cause !== undefined) ||
    (error instanceof Error && error.name === "AbortError")
  );
}

function networkReason(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message;
}

async function problemOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  const detail = typeof body === "object" && body !== null && "detail" in body ? String(body.detail) : "no edgebook API?";
  return `${response.status}, ${detail}`;
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfterOf(response: Response): number | null {
  const text = response.headers.get("retry-after");
  if (text === null) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}
