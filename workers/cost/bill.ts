/**
 * The bill of the month to come, from what the system has counted of itself: a rate a day for each priced thing, thirty days of it, less what is
 * included, at its price. Pure: every number of it can be worked out again from those beside it, and `arithmetic` says how.
 *
 * Rates are rounded up to whole units, so that everything after them is exact. What can't be counted from inside (CPU time, visitors) is assumed,
 * and the line says so; what nobody knows (whether messages on an outgoing socket are billed) is left out of the total and stands beside it.
 */

import {
  type ForecastBill,
  forecastBill,
  forecastRates,
  LEDGER_ROWS_READ,
  LEDGER_ROWS_WRITTEN,
  type LedgerUsage,
} from "./forecast-bill.ts";
import { PLAN_USD, PRICES, type PricedThing } from "./prices.ts";

/** What one feed has counted since its process began; the first of an object's feeds counts the object's alarms. */
export interface FeedUsage {
  readonly feed: string;
  readonly object: string;
  readonly measuredMs: number;
  readonly calls: number;
  readonly alarms: number;
  readonly messages: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** In its SQLite now. */
  readonly heldBytes: number;
}

/** What cron has stored of one feed, over so many of its minutes. */
export interface StoredUsage {
  readonly feed: string;
  readonly minutes: number;
  readonly rows: number;
  readonly gaps: number;
  readonly batches: number;
  readonly objects: number;
  readonly tapeBytes: number;
}

/** What became of minutes in the last day: day files written, at what cost, and minute objects deleted. */
export interface DaysUsage {
  readonly files: number;
  readonly classA: number;
  readonly classB: number;
  /** Of the files, and of the text that is in them. */
  readonly bytes: number;
  readonly textBytes: number;
  readonly deletedBytes: number;
}

export interface Usage {
  readonly feeds: readonly FeedUsage[];
  readonly stored: readonly StoredUsage[];
  readonly days: DaysUsage;
  readonly ledger: LedgerUsage;
  /** All that was ever stored: D1 as large as it is now, the snapshot rows written to it; in R2 tapes, what of them was deleted, and day files. */
  readonly ever: {
    readonly databaseBytes: number;
    readonly rows: number;
    readonly tapeBytes: number;
    readonly deletedBytes: number;
    readonly dayBytes: number;
  };
}

export interface BillLine {
  readonly id: PricedThing;
  readonly what: string;
  readonly unit: string;
  readonly basis: "measured" | "assumed";
  /** What the rate is made of. */
  readonly from: string;
  readonly perDay: number;
  readonly perMonth: number;
  readonly included: number;
  readonly billable: number;
  readonly priceUsd: number;
  readonly per: number;
  readonly costUsd: number;
  readonly arithmetic: string;
}

export interface Bill {
  readonly planUsd: number;
  readonly lines: readonly BillLine[];
  readonly totalUsd: number;
  /** Of the above what forecasts are, a day of them at the price, were nothing included. */
  readonly forecasts: ForecastBill;
  /** Were messages on an outgoing socket billed as an object's requests, 20 to one as incoming ones are. */
  readonly ifMessagesAreBilled: { readonly messagesPerDay: number; readonly line: BillLine; readonly totalUsd: number };
}

const DAYS = 30;
const MS_PER_DAY = 86_400_000;
const MINUTES_PER_DAY = 1_440;
const SECONDS_PER_DAY = 86_400;
/** An object is billed for 128 MB, whatever it uses. */
const OBJECT_GIGABYTES = 0.128;
const MESSAGES_PER_REQUEST = 20;
/** Clocks stand still while a Worker computes. A run of 20 markets hashes some 5 MB and writes as many rows. */
const ASSUMED_CPU_MS_PER_RUN = 50;
/**
 * Rows and their index entries, as D1 reports them (test/workerd/cost.test.ts): a table with a key of text has an index for it. Of a day file, its row with
 * three indexes and the coming and going of its work, reckoned.
 */
export const D1_ROWS_WRITTEN = { snapshot: 3, gap: 3, batch: 2, day: 12, ...LEDGER_ROWS_WRITTEN } as const;
/** Each row's key is looked up; the one that was there is read where there was one. For a day file its minutes' coverage is added up. */
export const D1_ROWS_READ = { snapshot: 1, gap: 1, batch: 1, day: 1_500, ...LEDGER_ROWS_READ } as const;
/** Cron's looks at the bucket for days to compact: its venues and days each half hour, and a day that is over some twenty times in its first week. */
const LISTINGS_PER_LOOK = 2;
const LOOKS_PER_DAY = 48;
const LISTINGS_OF_DAYS = 80;
/** Of text in and out of a day file, encoded and decoded again (measured in workerd, docs/decisions/0018). */
const ASSUMED_CPU_MS_PER_MB = 45;
const MEGABYTE = 1_000_000;

export function monthlyBill(usage: Usage): Bill {
  const { feeds, stored, ever, days, ledger } = usage;
  const calls = rate(feeds, ({ calls, alarms }) => calls + alarms);
  const rows = sum(stored.map((each) => perDay(each, each.rows)));
  const gaps = sum(stored.map((each) => perDay(each, each.gaps)));
  const batches = sum(stored.map((each) => perDay(each, each.batches)));
  const objects = sum(stored.map((each) => perDay(each, each.objects)));
  const tapeBytes = sum(stored.map((each) => perDay(each, each.tapeBytes)));
  const forecasting = forecastRates(ledger);
  const { forecasts, scorings, scoreRows } = forecasting;
  const looks = feeds.length * (LOOKS_PER_DAY * LISTINGS_PER_LOOK + LISTINGS_OF_DAYS);
  const megabytes = Math.ceil(days.textBytes / MEGABYTE);
  const bytesPerRow = ever.rows === 0 ? 0 : Math.ceil(ever.databaseBytes / ever.rows);
  const objectCount = new Set(feeds.map(({ object }) => object)).size;
  const overs = feeds.map(({ feed, measuredMs }) => `${feed} ${measuredMs} ms`).join(", ");
  const over = stored.map(({ feed, minutes }) => `${feed} ${minutes}`).join(", ");
  const lines: BillLine[] = [
    flow("worker-requests", { basis: "assumed", from: "a cron run each minute; no visitors", perDay: MINUTES_PER_DAY }),
    flow("worker-cpu", {
      basis: "assumed",
      from: `${ASSUMED_CPU_MS_PER_RUN} ms a cron run, ${MINUTES_PER_DAY} runs, and ${ASSUMED_CPU_MS_PER_MB} ms for each of ${megabytes} MB compacted since yesterday; ${forecasting.cpuMs} ms of forecasts; no visitors`,
      perDay: ASSUMED_CPU_MS_PER_RUN * MINUTES_PER_DAY + ASSUMED_CPU_MS_PER_MB * megabytes + forecasting.cpuMs,
    }),
    flow("object-duration", {
      basis: "assumed",
      from: `${objectCount} ${objectCount === 1 ? "object that never sleeps" : "objects that never sleep"}, ${OBJECT_GIGABYTES} GB × ${SECONDS_PER_DAY} s`,
      perDay: thousandths(objectCount * OBJECT_GIGABYTES * SECONDS_PER_DAY),
    }),
    flow("object-requests", { basis: "measured", from: `calls and alarms counted over ${overs}`, perDay: calls }),
    flow("object-rows-read", { basis: "measured", from: `counted over ${overs}`, perDay: rate(feeds, ({ rowsRead }) => rowsRead) }),
    flow("object-rows-written", {
      basis: "measured",
      from: `counted over ${overs}`,
      perDay: rate(feeds, ({ rowsWritten }) => rowsWritten),
    }),
    stock("object-storage", { from: "held now, and it stays so", now: sum(feeds.map(({ heldBytes }) => heldBytes)), perDay: 0 }),
    flow("d1-rows-read", {
      basis: "measured",
      from: `${rows} snapshot rows × ${D1_ROWS_READ.snapshot}, ${gaps} gaps × ${D1_ROWS_READ.gap}, ${batches} batches × ${D1_ROWS_READ.batch}, ${days.files} day files × ${D1_ROWS_READ.day}, ${forecasts} forecasts × ${D1_ROWS_READ.forecast}, ${scorings} scorings × ${D1_ROWS_READ.scoring} by cron, and who answers; no visitors`,
      perDay:
        rows * D1_ROWS_READ.snapshot +
        gaps * D1_ROWS_READ.gap +
        batches * D1_ROWS_READ.batch +
        days.files * D1_ROWS_READ.day +
        forecasting.rowsRead,
    }),
    flow("d1-rows-written", {
      basis: "measured",
      from: `${rows} snapshot rows × ${D1_ROWS_WRITTEN.snapshot}, ${gaps} gaps × ${D1_ROWS_WRITTEN.gap}, ${batches} batches × ${D1_ROWS_WRITTEN.batch}, ${days.files} day files × ${D1_ROWS_WRITTEN.day}, ${forecasts} forecasts × ${D1_ROWS_WRITTEN.forecast}, ${scorings} scorings × ${D1_ROWS_WRITTEN.scoring}, ${scoreRows} hours of scores × ${D1_ROWS_WRITTEN.scoreRow}; stored minutes: ${over}; hours scored: ${ledger.hours}`,
      perDay:
        rows * D1_ROWS_WRITTEN.snapshot +
        gaps * D1_ROWS_WRITTEN.gap +
        batches * D1_ROWS_WRITTEN.batch +
        days.files * D1_ROWS_WRITTEN.day +
        forecasting.rowsWritten,
    }),
    stock("d1-storage", {
      from: `${rows} rows of ${bytesPerRow} bytes a day; nothing is deleted`,
      now: ever.databaseBytes,
      perDay: rows * bytesPerRow,
    }),
    flow("r2-class-a", {
      basis: "measured",
      from: `${objects} objects written, stored minutes: ${over}; ${days.classA} by ${days.files} day files since yesterday; some ${looks} listings to find them; no tapes downloaded`,
      perDay: objects + days.classA + looks,
    }),
    flow("r2-class-b", {
      basis: "measured",
      from: `${days.classB} by ${days.files} day files since yesterday; nothing downloaded: a minute takes a listing (class A) and a read (class B), a day file a read; ${forecasting.modelFiles} files of models`,
      perDay: days.classB + forecasting.modelFiles,
    }),
    stock("r2-storage", {
      from: `tapes and day files, less what was deleted; a day ${tapeBytes} of tapes + ${days.bytes} of day files - ${days.deletedBytes} of tapes deleted`,
      now: ever.tapeBytes + ever.dayBytes - ever.deletedBytes,
      perDay: tapeBytes + days.bytes - days.deletedBytes,
    }),
  ];
  return {
    planUsd: PLAN_USD,
    lines,
    totalUsd: totalOf(lines),
    forecasts: forecastBill(ledger),
    ifMessagesAreBilled: withMessages(feeds, lines, calls),
  };
}

function withMessages(feeds: readonly FeedUsage[], lines: readonly BillLine[], calls: number): Bill["ifMessagesAreBilled"] {
  const messagesPerDay = rate(feeds, ({ messages }) => messages);
  const from = `${calls} calls and alarms, and ${messagesPerDay} messages / ${MESSAGES_PER_REQUEST}`;
  const perDayWith = calls + Math.ceil(messagesPerDay / MESSAGES_PER_REQUEST);
  const line = flow("object-requests", { basis: "measured", from, perDay: perDayWith });
  return { messagesPerDay, line, totalUsd: totalOf(lines.map((each) => (each.id === line.id ? line : each))) };
}

/** Something that happens so often a day. */
function flow(id: PricedThing, { basis, from, perDay: each }: Pick<BillLine, "basis" | "from" | "perDay">): BillLine {
  return priced(id, { basis, from, perDay: each, perMonth: thousandths(each * DAYS) });
}

/** Something that lies there, and grows: what is billed is its mean over the month, today's and half of what is added. */
function stock(id: PricedThing, { from, now, perDay: each }: { from: string; now: number; perDay: number }): BillLine {
  return priced(id, {
    basis: "measured",
    from: `${now} bytes now + ${each} a day × ${DAYS} / 2: ${from}`,
    perDay: each,
    // What shrinks is not less than nothing.
    perMonth: Math.max(0, now + (each * DAYS) / 2),
  });
}

function priced(id: PricedThing, parts: Pick<BillLine, "basis" | "from" | "perDay" | "perMonth">): BillLine {
  const { what, unit, included, per, usd } = PRICES[id];
  const billable = thousandths(Math.max(0, parts.perMonth - included));
  const costUsd = hundredthsOfCents((billable / per) * usd) / 10_000;
  const arithmetic = `max(0, ${parts.perMonth} - ${included}) / ${per} × ${usd} = ${costUsd}`;
  return { id, what, unit, ...parts, included, billable, priceUsd: usd, per, costUsd, arithmetic };
}

function totalOf(lines: readonly BillLine[]): number {
  return lines.reduce((total, { costUsd }) => total + hundredthsOfCents(costUsd), hundredthsOfCents(PLAN_USD)) / 10_000;
}

/** Each feed by its own time: one that restarted a minute ago has counted little, and isn't idle. */
function rate(feeds: readonly FeedUsage[], of: (feed: FeedUsage) => number): number {
  return sum(feeds.map((feed) => Math.ceil((of(feed) / feed.measuredMs) * MS_PER_DAY)));
}

/** By minutes stored, not by the clock: catching up, and a time that was lost, change no rate. */
function perDay({ minutes }: StoredUsage, count: number): number {
  return Math.ceil((count * MINUTES_PER_DAY) / minutes);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Of what is no whole number by nature: doubles would show their last digits. */
function thousandths(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function hundredthsOfCents(usd: number): number {
  return Math.round(usd * 10_000);
}
