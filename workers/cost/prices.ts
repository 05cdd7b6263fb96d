/**
 * What Cloudflare asks for, on Workers Paid, in US dollars a month. Read on 2026-11-27 from
 * https://developers.cloudflare.com/workers/platform/pricing/, /durable-objects/platform/pricing/, /d1/platform/pricing/ and /r2/pricing/.
 *
 * What is included belongs to the account: other projects in it share it.
 */

export const PRICES_READ = "2026-11-27";
export const PLAN_USD = 5;

export interface Price {
  readonly what: string;
  readonly unit: string;
  /** Units a month that the plan includes. */
  readonly included: number;
  /** For so many units beyond. */
  readonly per: number;
  readonly usd: number;
}

const MILLION = 1_000_000;
const BILLION = 1_000_000_000;
/** Stored bytes are billed by the gigabyte of 10^9, averaged over the month. */
const GIGABYTE = 1_000_000_000;

export const PRICES = {
  "worker-requests": { what: "Workers: requests", unit: "requests", included: 10 * MILLION, per: MILLION, usd: 0.3 },
  "worker-cpu": { what: "Workers: CPU time", unit: "ms", included: 30 * MILLION, per: MILLION, usd: 0.02 },
  "object-duration": { what: "Durable Objects: time awake, at 128 MB", unit: "GB-s", included: 400_000, per: MILLION, usd: 12.5 },
  "object-requests": { what: "Durable Objects: calls and alarms", unit: "requests", included: MILLION, per: MILLION, usd: 0.15 },
  "object-rows-read": { what: "Durable Objects: SQLite rows read", unit: "rows", included: 25 * BILLION, per: MILLION, usd: 0.001 },
  "object-rows-written": { what: "Durable Objects: SQLite rows written", unit: "rows", included: 50 * MILLION, per: MILLION, usd: 1 },
  "object-storage": { what: "Durable Objects: SQLite storage", unit: "byte-months", included: 5 * GIGABYTE, per: GIGABYTE, usd: 0.2 },
  "d1-rows-read": { what: "D1: rows read", unit: "rows", included: 25 * BILLION, per: MILLION, usd: 0.001 },
  "d1-rows-written": { what: "D1: rows written", unit: "rows", included: 50 * MILLION, per: MILLION, usd: 1 },
  "d1-storage": { what: "D1: storage", unit: "byte-months", included: 5 * GIGABYTE, per: GIGABYTE, usd: 0.75 },
  "r2-class-a": { what: "R2: writes and listings (class A)", unit: "operations", included: MILLION, per: MILLION, usd: 4.5 },
  "r2-class-b": { what: "R2: reads (class B)", unit: "operations", included: 10 * MILLION, per: MILLION, usd: 0.36 },
  "r2-storage": { what: "R2: storage", unit: "byte-months", included: 10 * GIGABYTE, per: GIGABYTE, usd: 0.015 },
} as const satisfies Readonly<Record<string, Price>>;

export type PricedThing = keyof typeof PRICES;
