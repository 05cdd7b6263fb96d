/** The rows of day files, of the work on them, and of what was found of each day. */

import { and, asc, desc, eq, gte, lt, lte, sql } from "drizzle-orm";
import { MS_PER_DAY, MS_PER_MINUTE } from "../../core/units/time.ts";
import { chainHash } from "../../core/wire/day-chain.ts";
import type { Database } from "./database.ts";
import { daySurveys, days, dayWork, snapshots } from "./schema.ts";

/** A run that has been cut off is over by then: cron is ended after 15 minutes. */
const SHORTEST_CLAIM_MS = 15 * MS_PER_MINUTE;
/** What nobody mends costs a step a day. */
const LONGEST_CLAIM_MS = MS_PER_DAY;
const MOST_DOUBLINGS = 10;
/** Once may be a store that was away for a moment, or a run at work. */
const FAILS_AGAIN = 2;
const SHOWN_FAILING = 10;

export type DayRow = typeof days.$inferSelect;
export type SurveyRow = typeof daySurveys.$inferSelect;

/** A day file before it has its place in the market's chain. */
export type NewDay = Omit<DayRow, "link" | "previous" | "chain">;

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** The parts of one market's day, in their order. */
export async function readDayParts(database: Database, market: string, day: string): Promise<DayRow[]> {
  return database
    .select()
    .from(days)
    .where(and(eq(days.market, market), eq(days.day, day)))
    .orderBy(asc(days.part));
}

/** Rows of a range of days, in order of market, day and part. */
export async function readDays(
  database: Database,
  { market, from, to, after, limit }: { market: string | null; from: string; to: string; after: DayPlace | null; limit: number },
): Promise<DayRow[]> {
  return database
    .select()
    .from(days)
    .where(
      and(
        market === null ? undefined : eq(days.market, market),
        gte(days.day, from),
        lte(days.day, to),
        after === null ? undefined : sql`(${days.market}, ${days.day}, ${days.part}) > (${after.market}, ${after.day}, ${after.part})`,
      ),
    )
    .orderBy(asc(days.market), asc(days.day), asc(days.part))
    .limit(limit);
}

export type DayPlace = Pick<DayRow, "market" | "day" | "part">;

/** Milliseconds of the day in which the market's book was live, by its minute rows; null when it has none. */
export async function readCovered(database: Database, market: string, dayStart: number): Promise<number | null> {
  const [row] = await database
    .select({ coveredMs: sql<number | null>`sum(${snapshots.coveredMs})` })
    .from(snapshots)
    .where(and(eq(snapshots.market, market), gte(snapshots.minute, dayStart), lt(snapshots.minute, dayStart + MS_PER_DAY)));
  return row?.coveredMs ?? null;
}

/** All files of a venue's day, by market. */
export async function readDaysOfVenue(database: Database, venue: string, day: string): Promise<Map<string, DayRow[]>> {
  // "\uffff" follows every symbol: this is a range of the primary key.
  const rows = await database
    .select()
    .from(days)
    .where(and(gte(days.market, `${venue}:`), lt(days.market, `${venue}:\uffff`), eq(days.day, day)));
  const byMarket = new Map<string, DayRow[]>();
  for (const row of rows) byMarket.set(row.market, [...(byMarket.get(row.market) ?? []), row]);
  return byMarket;
}

/**
 * Adds a file to the end of its market's chain. Written twice it is one row.
 * @throws when another run has added a day of the same market meanwhile: doing it again is then right.
 */
export async function addDay(database: Database, day: NewDay): Promise<void> {
  const [last] = await database.select().from(days).where(eq(days.market, day.market)).orderBy(desc(days.link)).limit(1);
  if (last !== undefined && last.head === day.head && last.day === day.day && last.part === day.part) return;
  const chain = await chainHash(last?.chain ?? null, day, sha256);
  await database.insert(days).values({ ...day, link: (last?.link ?? 0) + 1, previous: last?.head ?? null, chain });
}

export interface Work {
  readonly market: string;
  readonly day: string;
  /** Tries that came to nothing, this one among them until it is over. */
  readonly failures: number;
}

export async function queueWork(database: Database, market: string, day: string): Promise<void> {
  await database.insert(dayWork).values({ market, day, claimedUntil: 0, failures: 0 }).onConflictDoNothing();
}

/**
 * The oldest day that no run works on, for this run alone for a while. Null when there is none.
 *
 * It counts as a failure until the run comes to an end with it: one that is killed over it can't say so. Those that failed come last, and after each
 * failure twice as much later, a day at most.
 */
export async function claimWork(database: Database, now: number): Promise<Work | null> {
  const waits = sql`min(${LONGEST_CLAIM_MS}, ${SHORTEST_CLAIM_MS} * (1 << min(failures, ${MOST_DOUBLINGS})))`;
  const [found] = await database.all<Work>(sql`update ${dayWork} set claimed_until = ${now} + ${waits}, failures = failures + 1
    where (market, day) = (select market, day from ${dayWork} where claimed_until <= ${now} order by failures, day, market limit 1)
    and claimed_until <= ${now} returning market, day, failures`);
  return found ?? null;
}

/** It has come forward: the next run may go on with it. */
export async function releaseWork(database: Database, { market, day }: Work): Promise<void> {
  await database
    .update(dayWork)
    .set({ claimedUntil: 0, failures: 0 })
    .where(and(eq(dayWork.market, market), eq(dayWork.day, day)));
}

/** Market days that fail again and again, the oldest first, and how many there are. What is worked on for the first time is none of them. */
export async function readFailingDays(database: Database): Promise<{ days: Work[]; count: number }> {
  const rows = await database
    .select({ market: dayWork.market, day: dayWork.day, failures: dayWork.failures, count: sql<number>`count(*) over ()` })
    .from(dayWork)
    .where(gte(dayWork.failures, FAILS_AGAIN))
    .orderBy(asc(dayWork.day), asc(dayWork.market))
    .limit(SHOWN_FAILING);
  return { days: rows.map(({ market, day, failures }) => ({ market, day, failures })), count: rows[0]?.count ?? 0 };
}

export async function endWork(database: Database, { market, day }: Pick<Work, "market" | "day">): Promise<void> {
  await database.delete(dayWork).where(and(eq(dayWork.market, market), eq(dayWork.day, day)));
}

/** Of one venue, by day. */
export async function readSurveys(database: Database, venue: string): Promise<Map<string, SurveyRow>> {
  const rows = await database.select().from(daySurveys).where(eq(daySurveys.venue, venue));
  return new Map(rows.map((row) => [row.day, row]));
}

export async function writeSurvey(database: Database, survey: SurveyRow): Promise<void> {
  await database
    .insert(daySurveys)
    .values(survey)
    .onConflictDoUpdate({ target: [daySurveys.venue, daySurveys.day], set: survey });
}
