/**
 * When a connection is to be succeeded by the next one: ahead of the venue's forced close, and, where nothing numbers the books, at an interval, since
 * the next connection's whole books are then the only proof that those held are the venue's, each level of them: an audit. A level that was lost
 * beyond the top shows in no quote; none outlives the next audit.
 */

import { MS_PER_HOUR, MS_PER_MINUTE } from "../core/units/time.ts";
import type { ExchangeAdapter } from "../exchanges/contract.ts";

/** A venue that closes after a day is left a little before, at a time of our choosing. */
const BEFORE_CLOSE_MS = MS_PER_HOUR / 2;
/**
 * Unless configured. An audit is a second connection for as long as its books take to meet those held, and the whole books that it begins with: of a large
 * market some megabytes to decode, and 0.1 ms of comparison for each message.
 */
export const AUDIT_INTERVAL_MS = 10 * MS_PER_MINUTE;

/** Age at which a connection's successor is opened; Infinity for never. */
export function succeededAtAgeMs(
  { continuity, limits }: Pick<ExchangeAdapter, "continuity" | "limits">,
  auditMs: number = AUDIT_INTERVAL_MS,
): number {
  const beforeClose = limits.connectionLifetimeMs - BEFORE_CLOSE_MS;
  return continuity === "none" ? Math.min(beforeClose, auditMs) : beforeClose;
}
