/**
 * Sources from files: our tapes (`.tape`, `.tape.gz`), alone or in a tree under the key grammar of core/wire/keys.ts, and recorders' files
 * (`.ndjson`, `.ws.txt`, each also `.gz`; the answers to requests lie beside the latter as `.rest.txt`).
 *
 * A tree gives one source for each market: its minutes in order, each market's tape being whole by itself, and a hole where minutes are lost
 * (core/wire/lost-minutes.ts). A recorder's file is one connection with all
 * its markets; files that share a market are one source, in the order given.
 */

import { readdir, stat } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { dayFileName, isDayFile } from "../../archive/day-file.ts";
import { groupParts, partsLines } from "../../archive/day-parts.ts";
import { readLines } from "../../archive/line-reader.ts";
import { type Instrument, marketId, parseMarketId } from "../../core/market/instrument.ts";
import { parseGrid } from "../../core/units/decimal.ts";
import { FEED_TAPE_SYMBOL, parseTapeKey } from "../../core/wire/keys.ts";
import { LostMinutes } from "../../core/wire/lost-minutes.ts";
import { decodeTapeLine } from "../../core/wire/tape.ts";
import { answersBeside } from "../../exchange-simulator/recording.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { CommandError } from "../command-error.ts";
import type { FeedSource, SourceRecord } from "../replay/feed-source.ts";
import { isImported } from "./imported-source.ts";
import { declaredGrids, surveyFiles } from "./instrument-inference.ts";
import { completed, type RecordedAnswer, readAnswers, recordOf, snapshotRecords, surveyedLine } from "./recorded-lines.ts";
import { tapedLine } from "./taped-line.ts";

/** The symbols of a recording are all among its first lines, and so is what tells its venue. */
const LINES_THAT_TELL_SYMBOLS = 20_000;

const FORMATS = ".day, .tape, .ndjson or .ws.txt, each also with .gz";

export interface FileSourceOptions {
  /** The venue of files that don't say it themselves; null to tell it from what they hold. */
  readonly venue: string | null;
  /** Only this market, e.g. "binance-spot:BTCUSDT"; null for all. */
  readonly market: string | null;
  /** Grids that are known, by symbol; those of other symbols are read, or inferred, from what the files hold. */
  readonly grids?: ReadonlyMap<string, KnownGrids>;
}

/**
 * @param paths files, or folders that hold `tape/v1/…` (or lie inside it).
 * Throws CommandError when nothing usable is there, or a file's venue can't be told; ArchiveError when a file can't be read to its end.
 */
export async function fileSources(paths: readonly string[], options: FileSourceOptions): Promise<FeedSource[]> {
  const files: string[] = [];
  for (const path of paths) files.push(...(await recordingsIn(path)));
  const groups: FileGroup[] = [];
  for (const path of files) {
    const content = await contentOf(path, options);
    if (content === null) continue;
    const group = groups.find((known) => isOneRecording(known, content));
    if (group === undefined) groups.push({ ...content, symbols: [...content.symbols], paths: [path] });
    else {
      group.paths.push(path);
      group.symbols.push(...content.symbols.filter((symbol) => !group.symbols.includes(symbol)));
    }
  }
  const sources: FeedSource[] = [];
  for (const group of groups) {
    const symbols = group.symbols.filter((symbol) => options.market === null || marketId(group.venue, symbol) === options.market);
    if (symbols.length > 0) sources.push(await sourceOf(group, symbols, options.grids ?? new Map()));
  }
  if (sources.length === 0) {
    const what = options.market === null ? "no recording" : `no recording of ${options.market}`;
    throw new CommandError(`${paths.join(", ")}: ${what} in there; expected files that end in ${FORMATS}`);
  }
  return sources;
}

export type KnownGrids = Pick<Instrument, "tick" | "lot">;

/** Reads `SYMBOL:tick:lot`, e.g. "BTCUSDT:0.01:0.00001". Throws CommandError. */
export function parseGrids(text: string): [string, KnownGrids] {
  const [symbol, tickText, lotText] = text.split(":");
  const tick = parseGrid(tickText ?? "");
  const lot = parseGrid(lotText ?? "");
  if (!symbol || tick === null || lot === null)
    throw new CommandError(`--grid ${text}: symbol, tick and lot are wanted, as in BTCUSDT:0.01:0.00001`);
  return [symbol, { tick, lot }];
}

/** `tape`: one market's, as our recorder writes it. `tape-of-all`: records of a whole connection. `lines`: of a recorder. */
type Format = "tape" | "tape-of-all" | "lines";

interface FileContent {
  readonly format: Format;
  readonly venue: string;
  readonly symbols: readonly string[];
}

interface FileGroup extends FileContent {
  readonly symbols: string[];
  readonly paths: string[];
}

function isOneRecording(group: FileGroup, { format, venue, symbols }: FileContent): boolean {
  return group.format === format && group.venue === venue && symbols.some((symbol) => group.symbols.includes(symbol));
}

/** The recordings of a folder, or the one named. Throws CommandError where a file is none. */
export async function recordingsIn(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new CommandError(`there is no file or folder ${path}`);
  if (!found.isDirectory()) {
    if (!isRecording(path))
      throw new CommandError(`${path}: a recording ends in ${FORMATS}; a .rest.txt is read with the .ws.txt beside it`);
    return [path];
  }
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && isRecording(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !isMinuteRows(file))
    .sort();
}

/** What a file holds: what its key or its own records say, and for others what the messages say. Null for the tape of no market. */
async function contentOf(path: string, options: FileSourceOptions): Promise<FileContent | null> {
  // No frames of a venue, so no adapter reads them.
  if (isImported(path))
    throw new CommandError(
      `${path} holds imported market events, not what a venue sent: \`edgebook dataset\` makes rows of them, and nothing else replays them`,
    );
  const key = isDayFile(path) ? parseMarketId((await dayFileName(path)).market) : parseTapeKey(keyOf(path));
  if (key !== null) return key.symbol.startsWith(FEED_TAPE_SYMBOL) ? null : { format: "tape", venue: key.venue, symbols: [key.symbol] };
  const declared = isTape(path) ? [...(await declaredGrids(path)).keys()] : [];
  const survey = await surveyFiles([path], { lineOf: isTape(path) ? tapedLine : surveyedLine, mostLines: LINES_THAT_TELL_SYMBOLS });
  const venue = options.venue ?? venueOf(path, survey.venues);
  if (declared.length > 0) return { format: "tape", venue, symbols: declared };
  if (survey.symbols.length === 0)
    throw new CommandError(`no depth, trade or quote message in ${path}: is it a recording of ${venue}? (choose with --venue)`);
  return { format: isTape(path) ? "tape-of-all" : "lines", venue, symbols: survey.symbols };
}

/** The venue of recorders' files, told from what they hold as `fileSources` tells it; null where that is none, or several. */
export async function venueOfLines(paths: readonly string[]): Promise<string | null> {
  const { venues } = await surveyFiles(paths, { lineOf: surveyedLine, mostLines: LINES_THAT_TELL_SYMBOLS });
  return venues.length === 1 ? (venues[0] ?? null) : null;
}

function venueOf(path: string, venues: readonly string[]): string {
  const [venue, ...others] = venues;
  if (venue === undefined) throw new CommandError(`${path} holds no depth, trade or quote message of a venue that is spoken here`);
  if (others.length > 0) throw new CommandError(`${path} holds messages that may be of ${venues.join(" or ")}: say which with --venue`);
  return venue;
}

/** The part of a path that the key grammar speaks of. */
function keyOf(path: string): string {
  const parts = path.split(sep).join("/");
  const start = parts.lastIndexOf("tape/v1/");
  return start < 0 ? "" : parts.slice(start);
}

function isRecording(name: string): boolean {
  return isDayFile(name) || /\.(tape|ndjson|ws\.txt)(\.gz)?$/.test(name);
}

/** Minute rows beside the day files of a pull (archive/pull/run-pull.ts): another command reads them. */
function isMinuteRows(path: string): boolean {
  return path.split(sep).join("/").includes("/snapshots/v1/");
}

function isTape(path: string): boolean {
  return isDayFile(path) || /\.tape(\.gz)?$/.test(path);
}

async function sourceOf(group: FileGroup, symbols: readonly string[], known: ReadonlyMap<string, KnownGrids>): Promise<FeedSource> {
  const { format, venue, paths } = group;
  const adapter = findAdapter(venue);
  if (adapter === null) throw new CommandError(`no adapter speaks the venue "${venue}": choose another with --venue`);
  const answers: RecordedAnswer[] = [];
  for (const path of paths) {
    const beside = answersBeside(path);
    if (beside !== null) answers.push(...(await readAnswers(beside)));
  }
  const only = group.symbols.length === 1 ? (group.symbols[0] ?? null) : null;
  const decode = format === "lines" ? (line: string) => recordOf(line, only) : decodeTapeLine;
  return {
    name: nameOf(paths),
    venue,
    instruments: await instrumentsOf(group, { symbols, known, answers, adapter }),
    frames: format === "tape" ? "one-market" : "whole",
    size: await sizeOf(paths),
    records: (onProgress) => {
      const records = readRecords(paths, { decode, onProgress });
      return format === "lines" ? completed(records, snapshotRecords(answers, adapter)) : withHoles(records);
    },
  };
}

interface InstrumentOptions {
  readonly symbols: readonly string[];
  readonly known: ReadonlyMap<string, KnownGrids>;
  readonly answers: readonly RecordedAnswer[];
  readonly adapter: ExchangeAdapter;
}

/** The grids that the user knows, else those that a tape declares, else those that the venue answered, else what the decimals themselves say. */
async function instrumentsOf({ venue, paths, format }: FileGroup, options: InstrumentOptions): Promise<Instrument[]> {
  const { symbols, known, answers, adapter } = options;
  const first = paths[0] as string;
  const declared = isTape(first) ? await declaredGrids(first) : new Map<string, KnownGrids>();
  const listed = new Map(listedInstruments(answers, adapter, symbols).map((instrument) => [instrument.symbol, instrument]));
  const said = (symbol: string): KnownGrids | undefined => known.get(symbol) ?? declared.get(symbol) ?? listed.get(symbol);
  const inferred = new Map<string, Instrument>();
  if (symbols.some((symbol) => said(symbol) === undefined)) {
    const survey = await surveyFiles(paths, { lineOf: format === "lines" ? surveyedLine : tapedLine });
    for (const { symbol, body } of snapshotRecords(answers, adapter)) survey.take({ payload: body, answerOf: symbol });
    for (const instrument of survey.instruments(venue)) inferred.set(instrument.symbol, instrument);
  }
  return symbols.map((symbol) => {
    const grids = said(symbol) ?? inferred.get(symbol);
    if (grids === undefined)
      throw new CommandError(
        `no message of ${symbol} in ${first}: its tick and lot can't be told; give them with --grid ${symbol}:0.01:0.001`,
      );
    return { ...listed.get(symbol), ...grids, venue, symbol };
  });
}

/** Of the venue's own lists among the answers, the newest that can be read. */
function listedInstruments(answers: readonly RecordedAnswer[], adapter: ExchangeAdapter, symbols: readonly string[]): Instrument[] {
  for (const { body } of answers.toReversed()) {
    const decoded = adapter.decodeInstruments(body, symbols);
    if ("instruments" in decoded && decoded.instruments.length > 0) return decoded.instruments;
  }
  return [];
}

/** File names say where rows came from; a thousand minutes are named by the first and the last. */
function nameOf(paths: readonly string[]): string {
  const names = paths.map((path) => keyOf(path) || basename(path));
  return names.length <= 3 ? names.join(" + ") : `${names[0]} … ${names.at(-1)} (${names.length} files)`;
}

async function* readRecords(
  paths: readonly string[],
  options: { decode: (line: string) => SourceRecord | null; onProgress: (done: number) => void },
): AsyncGenerator<SourceRecord[]> {
  let done = 0;
  const onBytes = (bytes: number): void => {
    done += bytes;
    options.onProgress(done);
  };
  for (const parts of groupParts(paths)) {
    const [path = ""] = parts;
    for await (const lines of parts.length > 1 ? partsLines(parts, onBytes) : linesOf(path, onBytes)) {
      yield lines.flatMap((line) => (line === "" ? [] : (options.decode(line) ?? [])));
    }
  }
}

/** A tape's records, with a hole where minutes of it are lost. */
async function* withHoles(blocks: AsyncIterable<SourceRecord[]>): AsyncGenerator<SourceRecord[]> {
  const lost = new LostMinutes();
  for await (const block of blocks)
    yield block.flatMap((record): SourceRecord[] => ("malformed" in record ? [record] : [...lost.before(record), record]));
  yield [...lost.end()];
}

async function* linesOf(path: string, onBytes: (bytes: number) => void): AsyncGenerator<readonly string[]> {
  for await (const { lines } of readLines(path, onBytes)) yield lines;
}

async function sizeOf(paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) bytes += (await stat(path)).size;
  return bytes;
}
