/**
 * Proves day files: every hash of each, the chain over a market's days as far as it was written down, and that a replay of them gives the very books that the
 * feed had: at the checkpoints on the tape, and at the end of each minute whose row is known. A stored book that could not be compared is a fault, and so are
 * minutes that are lost from within a tape, and a day in which nothing was compared: what was not looked at is not proved.
 */

import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ArchiveError } from "../../archive/archive-error.ts";
import { dayFileName, faultText, fileBytes, isDayFile, sha256 } from "../../archive/day-file.ts";
import { mergedLines } from "../../archive/day-parts.ts";
import { CHAIN_FILE, dayPath, type KnownDay, readKnownDays } from "../../archive/pull/known-days.ts";
import { MS_PER_DAY, startOfDay } from "../../core/units/time.ts";
import { faultOfChain } from "../../core/wire/day-chain.ts";
import type { DayFileFault, Trailer } from "../../core/wire/day-file/format.ts";
import { hex } from "../../core/wire/day-file/format.ts";
import { readDayFile } from "../../core/wire/day-file/reader.ts";
import { FEED_TAPE_SYMBOL } from "../../core/wire/keys.ts";
import { CommandError } from "../command-error.ts";
import type { Progress } from "../progress.ts";
import { compareMinutes, type DayOutcome, MarketReplay, type MinuteBook, type MinuteComparison, NO_REPLAY } from "./day-replay.ts";

export interface VerifiedDay {
  readonly file: string;
  readonly market: string;
  readonly day: string;
  readonly part: number;
  readonly blocks: number;
  readonly lines: number;
  readonly head: string | null;
  /** `linked`: it is what the chain names. `alone`: nothing is known of what it should be. */
  readonly chain: "linked" | "alone";
  readonly malformedLines: number;
  readonly checkpoints: number;
  readonly checkpointsCompared: number;
  readonly minutesCompared: number;
  /** Stored with a book, where the replay has none. */
  readonly minutesNotCompared: number;
  readonly gaps: number;
  /** For a person; null when all is well. */
  readonly fault: string | null;
}

export interface VerifyReport {
  readonly files: readonly VerifiedDay[];
  /** The first of all: of each market what is wrong with its chain, then with a file itself, then what the replay shows. */
  readonly fault: string | null;
}

export interface VerifyOptions {
  /** The chain as an instance tells it, of the markets asked for; none without one. */
  readonly listed: readonly KnownDay[];
  /** Stored minutes of a market's day; none where they are not known. */
  readonly minutesOf: (market: string, day: string) => Promise<ReadonlyMap<number, MinuteBook>>;
  /** A file of a day's minutes that were fetched before it had ended: they may change, and prove nothing. Null where there is none. */
  readonly unfinishedOf?: (market: string, day: string) => Promise<string | null>;
  readonly progress: Progress;
}

/** The day files that were named, or lie in folders that were. Throws CommandError when there are none. */
export async function dayFilesIn(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found === null) throw new CommandError(`there is no file or folder ${path}`);
    if (!found.isDirectory()) files.push(path);
    else {
      const entries = await readdir(path, { recursive: true, withFileTypes: true });
      files.push(...entries.filter((entry) => entry.isFile() && isDayFile(entry.name)).map((entry) => join(entry.parentPath, entry.name)));
    }
  }
  if (files.length === 0) throw new CommandError(`${paths.join(", ")}: no day file (.day) in there`);
  return files.sort();
}

export async function verifyDays(files: readonly string[], options: VerifyOptions): Promise<VerifyReport> {
  const markets = await byMarket(files);
  const reports: VerifiedDay[] = [];
  const faults: string[] = [];
  options.progress.start("verify", await bytesOf(files));
  let done = 0;
  const onBytes = (bytes: number): void => {
    done += bytes;
    options.progress.update(done);
  };
  for (const [market, named] of markets) {
    const links = await linksOf(market, named, options.listed);
    if (links.fault !== null) faults.push(links.fault);
    const shown: string[] = [];
    let replay = new MarketReplay(market);
    let before: string | null = null;
    for (const day of new Set(named.map((file) => file.day))) {
      // Over a hole of days no book goes on.
      if (before !== null && !isSoonAfter(before, day)) replay = new MarketReplay(market);
      before = day;
      const parts = named.filter((file) => file.day === day);
      for (const { report, isFileRight } of await verifyParts(parts, replay, { ...options, links: links.links, onBytes })) {
        reports.push(report);
        if (report.fault !== null) (isFileRight ? shown : faults).push(`${report.file}: ${report.fault}`);
      }
    }
    // What a replay shows may be the consequence of another file's fault, and is told of a file that is whole.
    faults.push(...shown);
  }
  options.progress.stop();
  return { files: reports, fault: faults[0] ?? null };
}

function isSoonAfter(before: string, day: string): boolean {
  return (startOfDay(day) ?? 0) - (startOfDay(before) ?? 0) <= MS_PER_DAY;
}

interface NamedFile {
  readonly path: string;
  readonly market: string;
  readonly day: string;
  readonly part: number;
  /** What its beginning is, where that is no day file's. */
  readonly fault: string | null;
}

/** Each market's in order of day and part. A file that is none is a market of its own. */
async function byMarket(files: readonly string[]): Promise<Map<string, NamedFile[]>> {
  const markets = new Map<string, NamedFile[]>();
  for (const path of files) {
    const file = await nameOf(path);
    markets.set(file.market, [...(markets.get(file.market) ?? []), file]);
  }
  for (const named of markets.values()) named.sort((a, b) => (a.day === b.day ? a.part - b.part : a.day < b.day ? -1 : 1));
  return markets;
}

async function nameOf(path: string): Promise<NamedFile> {
  const part = Number(/\.(\d{2})\.[0-9a-f]{12}\.day$/.exec(path)?.[1] ?? 0);
  try {
    return { path, part, ...(await dayFileName(path)), fault: null };
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return { path, part, market: basename(path), day: "", fault: error.message };
  }
}

/** What was written down of the market's chain, beside the files and by the instance; and the first thing wrong with it. */
async function linksOf(
  market: string,
  files: readonly NamedFile[],
  listed: readonly KnownDay[],
): Promise<{ links: readonly KnownDay[]; fault: string | null }> {
  const folders = [...new Set(files.map(({ path }) => dirname(path)))];
  const beside: KnownDay[] = [];
  for (const folder of folders) beside.push(...(await readKnownDays(folder)).filter((link) => link.market === market));
  const there = listed.filter((link) => link.market === market);
  const links = new Map(beside.map((link) => [link.link, link]));
  for (const link of there) {
    const known = links.get(link.link);
    if (known !== undefined && known.chain !== link.chain)
      return { links: beside, fault: `${market}: the instance's link ${link.link} (${link.day}) is another than ${CHAIN_FILE} has` };
    links.set(link.link, link);
  }
  const all = [...links.values()].sort((a, b) => a.link - b.link);
  return { links: all, fault: (await faultOfStretches(all)) ?? (await missingFile(beside, folders)) };
}

/** A pull of some days leaves holes between the links that are known: each stretch is a chain. */
async function faultOfStretches(links: readonly KnownDay[]): Promise<string | null> {
  let stretch: KnownDay[] = [];
  for (const link of links) {
    if (stretch.length > 0 && link.link !== (stretch.at(-1)?.link ?? 0) + 1) {
      const fault = await faultOfChain(stretch, sha256);
      if (fault !== null) return fault;
      stretch = [];
    }
    stretch.push(link);
  }
  return faultOfChain(stretch, sha256);
}

/** A file that chain.json names and nobody finds: only looked for where whole folders were pulled. */
async function missingFile(links: readonly KnownDay[], folders: readonly string[]): Promise<string | null> {
  for (const link of links) {
    const name = basename(dayPath(link));
    const found = await Promise.all(folders.map((folder) => stat(join(folder, name)).catch(() => null)));
    if (found.every((each) => each === null)) return `${link.market}: ${CHAIN_FILE} names ${name}, and it is not there`;
  }
  return null;
}

interface ProvedDay {
  readonly report: VerifiedDay;
  /** Whether its fault, if it has one, is only what the replay of the day's parts shows. */
  readonly isFileRight: boolean;
}

interface Proof {
  trailer: Trailer | null;
  fault: DayFileFault | null;
}

/** A day's parts: each by its own hashes, and all of them together as the one tape that is replayed. What that shows is told of the first. */
async function verifyParts(
  parts: readonly NamedFile[],
  replay: MarketReplay,
  options: VerifyOptions & { readonly links: readonly KnownDay[]; readonly onBytes: (bytes: number) => void },
): Promise<ProvedDay[]> {
  const [{ market, day } = { market: "", day: "" }] = parts;
  const proofs = parts.map((): Proof => ({ trailer: null, fault: null }));
  const texts = parts.flatMap(({ path, fault }, index) => {
    const proof = proofs[index];
    return proof === undefined || fault !== null ? [] : [provedText(fileBytes(path, options.onBytes), proof)];
  });
  const isBook = !market.endsWith(`:${FEED_TAPE_SYMBOL}`);
  const endsAt = (startOfDay(day) ?? 0) + MS_PER_DAY;
  const outcome = isBook ? await replay.day(mergedLines(texts), endsAt) : await passOver(texts);
  const stored = isBook ? await options.minutesOf(market, day) : new Map<number, MinuteBook>();
  const compared = compareMinutes(outcome.minutes, stored);
  const isNothing = isBook && isUnproved(outcome, compared, stored.size);
  const minutes = isNothing ? { ...compared, fault: nothingCompared((await options.unfinishedOf?.(market, day)) ?? null) } : compared;
  return parts.map((file, index) => {
    const found = index === 0 ? { outcome, minutes } : { outcome: NO_REPLAY, minutes: NO_MINUTES };
    return reportOf(file, proofs[index] ?? { trailer: null, fault: null }, { ...found, links: options.links });
  });
}

/** Blocks whose hashes are right; how the file ended is noted. */
async function* provedText(bytes: AsyncIterable<Uint8Array>, proof: Proof): AsyncGenerator<Uint8Array> {
  for await (const each of readDayFile(bytes, sha256)) {
    if (each.kind === "block") yield each.text;
    if (each.kind === "trailer") proof.trailer = each.trailer;
    if (each.kind === "fault") proof.fault = each.fault;
  }
}

const NO_MINUTES: MinuteComparison = { compared: 0, notCompared: 0, fault: null };

/** What was missing, and what to do about it. */
function nothingCompared(unfinished: string | null): string {
  const why = "nothing was compared: it has no checkpoint behind its first book, and no stored minute of it is known";
  if (unfinished === null) return `${why} (pull --snapshots, or verify --from)`;
  return `${why}: ${unfinished} was fetched before the day's minutes were all stored (pull --snapshots again, or verify --from)`;
}

/** Where rows and replay are both without a book all day there was nothing to prove. */
function isUnproved({ checkpointsCompared, minutes }: DayOutcome, { compared, fault }: MinuteComparison, rows: number): boolean {
  if (fault !== null || compared > 0 || checkpointsCompared > 0) return false;
  return rows === 0 || minutes.some(({ bookHash }) => bookHash !== null);
}

function reportOf(
  { path, market, day, part, fault }: NamedFile,
  proof: Proof,
  { outcome, minutes, links }: { outcome: DayOutcome; minutes: MinuteComparison; links: readonly KnownDay[] },
): ProvedDay {
  const { malformedLines, checkpoints, checkpointsCompared, gaps } = outcome;
  const { compared: minutesCompared, notCompared: minutesNotCompared } = minutes;
  const counts = { malformedLines, checkpoints, checkpointsCompared, gaps, minutesCompared, minutesNotCompared };
  const report = { file: path, market, day, part, ...counts };
  if (proof.trailer === null) {
    const reason = fault ?? (proof.fault === null ? "it ends without a trailer" : faultText(proof.fault));
    return { report: { ...report, blocks: 0, lines: 0, head: null, chain: "alone", fault: reason }, isFileRight: false };
  }
  const { blocks, lines } = proof.trailer;
  const head = hex(proof.trailer.head);
  const link = links.find((each) => each.day === day && each.part === part) ?? null;
  const chain = link === null ? "alone" : "linked";
  const wrong = faultOfFile({ head, link, path });
  const proved = { ...report, blocks: blocks.length, lines, head, chain, fault: wrong ?? faultOfReplay(outcome) ?? minutes.fault } as const;
  return { report: proved, isFileRight: wrong === null };
}

function faultOfFile({ head, link, path }: { head: string; link: KnownDay | null; path: string }): string | null {
  const named = /\.([0-9a-f]{12})\.day$/.exec(path)?.[1];
  if (named !== undefined && !head.startsWith(named)) return `its head is ${head}, and its name says ${named}: it was written anew`;
  if (link !== null && link.head !== head) return `its head is ${head}, and the chain names ${link.head}: it was written anew`;
  return null;
}

function faultOfReplay(outcome: DayOutcome): string | null {
  if (outcome.malformedLines > 0) return `${outcome.malformedLines} lines are no tape records`;
  if (outcome.lostMinutes !== null) return `${outcome.lostMinutes}, and the tape doesn't say why: they are lost`;
  if (outcome.checkpointMismatches > 0)
    return `${outcome.checkpointMismatches} of ${outcome.checkpoints} checkpoints on the tape are not the book that a replay has there`;
  return null;
}

/** What belongs to no book is only read. */
async function passOver(texts: readonly AsyncIterable<Uint8Array>[]): Promise<DayOutcome> {
  for (const text of texts) for await (const _ of text);
  return NO_REPLAY;
}

async function bytesOf(files: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of files) bytes += (await stat(path)).size;
  return bytes;
}
