/** What a venue's HTTP answers mean to whoever asked: blocked here, wait, how much of the budget is used. Of a refused websocket and of a request alike. */

import { MS_PER_DAY, MS_PER_MINUTE, MS_PER_SECOND } from "../../core/units/time.ts";
import type { VenueAnswer } from "./session-port.ts";

const BLOCKED_STATUSES: readonly number[] = [403, 451];
const REFUSED_STATUSES: readonly number[] = [400, 404];
const DEFAULT_RATE_LIMIT_WAIT_MS = MS_PER_MINUTE;
/** The longest ban that a venue's document speaks of (Binance: three days); beyond it the header is a mistake. */
const LONGEST_WAIT_MS = 3 * MS_PER_DAY;
const SHOWN_CHARACTERS = 200;

/** The venue refuses this address. */
export function isBlocked(answer: VenueAnswer): boolean {
  return "status" in answer && BLOCKED_STATUSES.includes(answer.status);
}

/** The venue has understood, and won't: something that was asked for doesn't exist. */
export function isRefused(answer: VenueAnswer): boolean {
  return "status" in answer && REFUSED_STATUSES.includes(answer.status);
}

/** What a venue asks us to wait: its Retry-After, in seconds or as a date, a minute for a bare 429 or 418, else nothing. */
export function retryAfterMs(answer: VenueAnswer, now: number): number {
  if ("failed" in answer) return 0;
  const told = answer.header("retry-after") ?? "";
  const wait = /^\d+(\.\d+)?$/.test(told) ? Number(told) * MS_PER_SECOND : Date.parse(told) - now;
  if (Number.isFinite(wait) && wait > 0) return Math.min(wait, LONGEST_WAIT_MS);
  return answer.status === 429 || answer.status === 418 ? DEFAULT_RATE_LIMIT_WAIT_MS : 0;
}

/** What this address has used of the venue's budget in the last minute, by the venue's own count; null where it doesn't say. */
export function usedWeight(answer: VenueAnswer, header: string | null): number | null {
  if ("failed" in answer || header === null) return null;
  const used = Number(answer.header(header) ?? Number.NaN);
  return Number.isFinite(used) && used >= 0 ? used : null;
}

export function isSuccess(answer: VenueAnswer): answer is Extract<VenueAnswer, { status: number }> {
  return "status" in answer && answer.status >= 200 && answer.status < 300;
}

/** For a person. */
export function answerText(answer: VenueAnswer): string {
  return "failed" in answer ? answer.failed : `${answer.status}: ${answer.body.slice(0, SHOWN_CHARACTERS)}`;
}
