/**
 * Brings what an instance has recorded to a folder: day files, for days that have none yet their minutes, and if asked for the minute rows.
 *
 * ```
 * <out>/days/v1/<venue>/<symbol>/<day>.<part>.<head>.day, chain.json
 * <out>/tape/v1/<venue>/<symbol>/<day>/<HHMM>.tape.gz                  days without a file yet
 * <out>/snapshots/v1/<venue>/<symbol>/<day>.ndjson                     minute rows as the API gives them, each with its market
 * ```
 * Done again it fetches what is new, no byte twice. A file is under its name only when it is whole. The minutes of a day go when its file is there.
 */

import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { parseMarketId } from "../../core/market/instrument.ts";
import { dayOf, MS_PER_DAY, MS_PER_HOUR, startOfDay } from "../../core/units/time.ts";
import { tapeKey } from "../../core/wire/keys.ts";
import { ArchiveError } from "../archive-error.ts";
import type { ArchiveProgress } from "../archive-progress.ts";
import { downloadDay, downloadWhole } from "./download.ts";
import type { Instance } from "./instance.ts";
import { dayPath, joinKnownDays, type KnownDay, knownDayShape, readKnownDays, writeKnownDays } from "./known-days.ts";

export interface PullOptions {
  readonly instance: Instance;
  readonly out: string;
  /** Only these; none for all. */
  readonly markets: readonly string[];
  /** UTC days, inclusive; `since` null for all that there is. */
  readonly since: string | null;
  readonly until: string;
  /** What is fetched beside the day files. */
  readonly beside: { readonly minutes: "of-open-days" | "none"; readonly snapshots: "all" | "none" };
  /** Epoch ms. */
  readonly now: number;
  readonly progress: ArchiveProgress;
}

export interface PullReport {
  readonly days: { readonly listed: number; readonly fetched: number; readonly bytes: number };
  readonly minutes: { readonly fetched: number; readonly bytes: number };
  readonly snapshots: { readonly fetched: number; readonly rows: number };
  /** Paths of the day files that were listed, whether they came now or before. */
  readonly files: readonly string[];
}

/** As far back as a list may go. */
const ALL_DAYS = 3_650;
const SETTLED_AFTER_MS = 2 * MS_PER_HOUR;
const PAGE = 500;
const ROW_LEVELS = 100;

const listShape = z.looseObject({
  days: z.array(z.looseObject({ ...knownDayShape.shape, url: z.string() })),
  nextCursor: z.string().nullable(),
});
const marketsShape = z.looseObject({ markets: z.array(z.looseObject({ market: z.string() })) });
const rowsShape = z.looseObject({
  snapshots: z.array(
    z.looseObject({
      minute: z.number(),
      bookHash: z.string().nullable(),
      lastSequence: z.number().nullable(),
      tape: z.looseObject({ url: z.string() }).nullable(),
    }),
  ),
  nextCursor: z.string().nullable(),
});

const qualityShape = z.looseObject({ quality: z.looseObject({ recordedSince: z.number().nullable() }) });

type ListedDay = KnownDay & { readonly url: string };
type Row = z.infer<typeof rowsShape>["snapshots"][number];

/** Throws ArchiveError: what has come until then stays, and the next run goes on. */
export async function runPull(options: PullOptions): Promise<PullReport> {
  const listed = await listDays(options);
  const files = await pullDays(options, listed);
  const markets = await marketsToAsk(options, listed);
  const minutes = options.beside.minutes === "none" ? { fetched: 0, bytes: 0 } : await pullMinutes(options, markets, listed);
  const snapshots = options.beside.snapshots === "none" ? { fetched: 0, rows: 0 } : await pullRows(options, markets);
  return { days: { listed: listed.length, ...files }, minutes, snapshots, files: listed.map((day) => join(options.out, dayPath(day))) };
}

/** All day files of a range of days. */
export async function listDays({
  instance,
  markets,
  since,
  until,
}: Pick<PullOptions, "instance" | "markets" | "since" | "until">): Promise<ListedDay[]> {
  const from = since ?? dayOf(timeOf(until) - ALL_DAYS * MS_PER_DAY);
  const days: ListedDay[] = [];
  for (const market of markets.length === 0 ? [null] : markets) {
    const query = new URLSearchParams({ from, to: until, limit: String(PAGE), ...(market === null ? {} : { market }) });
    for (;;) {
      const page = await instance.get(`/v1/days?${query}`, listShape);
      days.push(...page.days);
      if (page.nextCursor === null) break;
      query.set("cursor", page.nextCursor);
    }
  }
  return days;
}

async function pullDays(
  { instance, out, progress }: PullOptions,
  listed: readonly ListedDay[],
): Promise<{ fetched: number; bytes: number }> {
  for (const market of new Set(listed.map((day) => day.market))) {
    const days = listed.filter((day) => day.market === market);
    const folder = dirname(join(out, dayPath(days[0] as ListedDay)));
    const plain = days.map((day): KnownDay => knownDayShape.parse(day));
    await writeKnownDays(folder, await joinKnownDays(await readKnownDays(folder), plain));
  }
  let [fetched, bytes, done] = [0, 0, 0];
  progress.start(
    "day files",
    listed.reduce((sum, day) => sum + day.bytes, 0),
  );
  for (const day of listed) {
    const path = join(out, dayPath(day));
    const end = done + day.bytes;
    if ((await sizeOf(path)) !== day.bytes) {
      bytes += await downloadDay(instance, { ...day, path }, (came) => {
        done += came;
        progress.update(done);
      });
      fetched++;
    }
    done = end;
    progress.update(done);
    await rm(minutesFolder(out, day.market, day.day), { recursive: true, force: true });
  }
  progress.stop();
  return { fetched, bytes };
}

async function marketsToAsk({ instance, markets }: PullOptions, listed: readonly ListedDay[]): Promise<string[]> {
  if (markets.length > 0) return [...markets];
  const carried = (await instance.get("/v1/markets", marketsShape)).markets.map(({ market }) => market);
  const recorded = listed.map(({ market }) => market).filter((market) => !market.endsWith(":_feed"));
  return [...new Set([...carried, ...recorded])].sort();
}

/** Of the days from which no file has come, however long ago: one whose file can't be made has nothing else. */
async function pullMinutes(
  options: PullOptions,
  markets: readonly string[],
  listed: readonly ListedDay[],
): Promise<{ fetched: number; bytes: number }> {
  const { instance, out, until, since, progress } = options;
  let [fetched, bytes] = [0, 0];
  const hasFile = new Set(listed.map(({ market, day }) => `${market} ${day}`));
  for (const market of markets) {
    for (const day of daysUpTo(until, since ?? (await firstDay(instance, market, until)))) {
      if (hasFile.has(`${market} ${day}`)) continue;
      const rows = (await minuteRows(instance, { market, day, levels: 0 })).filter(({ tape }) => tape !== null);
      if (rows.length === 0) continue;
      progress.start(`${market} ${day}, minutes`, rows.length);
      for (const [index, row] of rows.entries()) {
        const path = minutePath(out, market, row.minute);
        if (row.tape !== null && (await sizeOf(path)) === 0) {
          const came = await downloadWhole(instance, row.tape.url, path);
          fetched += came === null ? 0 : 1;
          bytes += came ?? 0;
        }
        progress.update(index + 1);
      }
      progress.stop();
    }
  }
  return { fetched, bytes };
}

/** A file a day; one that was settled when it was written is not asked for again. */
async function pullRows(
  { instance, out, until, since, now, progress }: PullOptions,
  markets: readonly string[],
): Promise<{ fetched: number; rows: number }> {
  let [fetched, count] = [0, 0];
  for (const market of markets) {
    const name = nameOf(market);
    const days = daysUpTo(until, since ?? (await firstDay(instance, market, until)));
    progress.start(`${market}, minute rows`, days.length);
    for (const [index, day] of days.entries()) {
      const path = join(out, "snapshots", "v1", name.venue, name.symbol, `${day}.ndjson`);
      const open = `${path}.open`;
      if ((await sizeOf(path)) === 0) {
        const rows = await minuteRows(instance, { market, day, levels: ROW_LEVELS });
        if (rows.length > 0) {
          await mkdir(dirname(path), { recursive: true });
          await writeFile(open, rows.map((row) => `${JSON.stringify({ market, ...row })}\n`).join(""));
          // While a day goes on, and for as long after as feeds may be behind, its rows stand under a name of their own.
          if (now >= timeOf(day) + MS_PER_DAY + SETTLED_AFTER_MS) await rename(open, path);
          fetched++;
          count += rows.length;
        }
      }
      progress.update(index + 1);
    }
    progress.stop();
  }
  return { fetched, rows: count };
}

/** The day of the market's first row ever. */
async function firstDay(instance: Instance, market: string, until: string): Promise<string> {
  const { recordedSince } = (await instance.get(`/v1/quality/${encodeURIComponent(market)}?day=${until}`, qualityShape)).quality;
  return recordedSince === null ? until : dayOf(recordedSince);
}

/** A day of a market's minute rows, as the API gives them. */
export async function minuteRows(
  instance: Instance,
  { market, day, levels }: { market: string; day: string; levels: number },
): Promise<Row[]> {
  const from = timeOf(day);
  const query = new URLSearchParams({ from: String(from), to: String(from + MS_PER_DAY), limit: String(PAGE), levels: String(levels) });
  const rows: Row[] = [];
  for (;;) {
    const page = await instance.get(`/v1/markets/${encodeURIComponent(market)}/snapshots?${query}`, rowsShape);
    rows.push(...page.snapshots);
    if (page.nextCursor === null) return rows;
    query.set("cursor", page.nextCursor);
  }
}

function daysUpTo(until: string, since: string): string[] {
  const days: string[] = [];
  for (let time = timeOf(since); time <= timeOf(until); time += MS_PER_DAY) days.push(dayOf(time));
  return days;
}

function timeOf(day: string): number {
  const start = startOfDay(day);
  if (start === null) throw new ArchiveError(`${day} is no day: yyyy-mm-dd is wanted`);
  return start;
}

function nameOf(market: string): { venue: string; symbol: string } {
  const name = parseMarketId(market);
  if (name === null) throw new ArchiveError(`${market} is no market: venue:SYMBOL is wanted`);
  return name;
}

function minutePath(out: string, market: string, minute: number): string {
  const { venue, symbol } = nameOf(market);
  return join(out, tapeKey(venue, symbol, minute));
}

function minutesFolder(out: string, market: string, day: string): string {
  return dirname(minutePath(out, market, timeOf(day)));
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}
