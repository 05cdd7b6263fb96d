/**
 * Market sources from files: our tapes (`.tape`, `.tape.gz`), alone or in a tree under the key grammar of core/wire/keys.ts, and recorded wire
 * files (`.ndjson`, `.ndjson.gz`). A tree gives one source for each market: its minutes in order, each market's tape being whole by itself.
 */

import { readdir, stat } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { type Instrument, marketId } from "../../core/market/instrument.ts";
import { parseGrid } from "../../core/units/decimal.ts";
import { FEED_TAPE_SYMBOL, parseTapeKey } from "../../core/wire/keys.ts";
import { decodeTapeLine } from "../../core/wire/tape.ts";
import { CommandError } from "../command-error.ts";
import { declaredGrids, inferInstruments, tapePayload } from "./instrument-inference.ts";
import { readLines } from "./line-reader.ts";
import type { MarketSource, SourceRecord } from "./market-source.ts";
import { decodeWireLine, openingBefore, wirePayload } from "./wire-file.ts";

/** The symbols of a recording are all among its first lines. */
const LINES_THAT_TELL_SYMBOLS = 20_000;

export interface FileSourceOptions {
  /** The venue of files that don't say it themselves. */
  readonly venue: string;
  /** Only this market, e.g. "binance-spot:BTCUSDT"; null for all. */
  readonly market: string | null;
  /** Grids that are known, by symbol; those of other symbols are inferred from what they hold. */
  readonly grids?: ReadonlyMap<string, KnownGrids>;
}

/**
 * @param paths files, or folders that hold `tape/v1/…` (or lie inside it). Files of one market are one source, in the order given: a
 * recorder that begins a new file each day has lost nothing in between, and the reducer sees whether it has.
 * Throws CommandError when nothing usable is there.
 */
export async function fileSources(paths: readonly string[], options: FileSourceOptions): Promise<MarketSource[]> {
  const files: string[] = [];
  for (const path of paths) files.push(...(await recordingsIn(path)));
  const groups = new Map<string, FileGroup>();
  for (const path of files) {
    for (const instrument of await marketsOf(path, options)) {
      const market = marketId(instrument.venue, instrument.symbol);
      const format = isTape(path) ? "tape" : "wire";
      if (options.market !== null && options.market !== market) continue;
      const group = groups.get(`${format} ${market}`) ?? { format, venue: instrument.venue, symbol: instrument.symbol, paths: [] };
      group.paths.push(path);
      groups.set(`${format} ${market}`, group);
    }
  }
  if (groups.size === 0) {
    const what = options.market === null ? "a recording" : `a recording of ${options.market}`;
    throw new CommandError(`${paths.join(", ")}: not ${what}; expected .tape.gz, .tape, .ndjson.gz or .ndjson`);
  }
  return Promise.all([...groups.values()].map((group) => sourceOf(group, options)));
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

interface FileGroup {
  readonly format: "tape" | "wire";
  readonly venue: string;
  readonly symbol: string;
  readonly paths: string[];
}

async function recordingsIn(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new CommandError(`there is no file or folder ${path}`);
  if (!found.isDirectory()) {
    if (!isRecording(path)) throw new CommandError(`${path}: a recording ends in .tape, .tape.gz, .ndjson or .ndjson.gz`);
    return [path];
  }
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && isRecording(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The markets of one file: what its key says, and for a file of another name what its messages say. */
async function marketsOf(path: string, { venue }: FileSourceOptions): Promise<{ venue: string; symbol: string }[]> {
  const key = parseTapeKey(keyOf(path));
  if (key !== null) return key.symbol.startsWith(FEED_TAPE_SYMBOL) ? [] : [key];
  return inferInstruments([path], { venue, payloadOf: payloadReader(path), mostLines: LINES_THAT_TELL_SYMBOLS });
}

/** The part of a path that the key grammar speaks of. */
function keyOf(path: string): string {
  const parts = path.split(sep).join("/");
  const start = parts.lastIndexOf("tape/v1/");
  return start < 0 ? "" : parts.slice(start);
}

function isRecording(name: string): boolean {
  return /\.(tape|ndjson)(\.gz)?$/.test(name);
}

function isTape(path: string): boolean {
  return /\.tape(\.gz)?$/.test(path);
}

function payloadReader(path: string): (line: string) => string | null {
  return isTape(path) ? tapePayload : wirePayload;
}

async function sourceOf({ format, venue, symbol, paths }: FileGroup, options: FileSourceOptions): Promise<MarketSource> {
  const instrument = await instrumentOf({ venue, symbol, paths }, options);
  const decode = format === "tape" ? decodeTapeLine : (line: string): SourceRecord => decodeWireLine(line, symbol);
  return {
    name: nameOf(paths),
    instrument,
    size: await sizeOf(paths),
    records: (onProgress) => {
      const records = readRecords(paths, { decode, onProgress });
      return format === "tape" ? records : withOpening(records);
    },
  };
}

async function instrumentOf({ venue, symbol, paths }: Omit<FileGroup, "format">, options: FileSourceOptions): Promise<Instrument> {
  const known = options.grids?.get(symbol);
  if (known !== undefined) return { venue, symbol, ...known };
  const first = paths[0] as string;
  const declared = isTape(first) ? await declaredGrids(first, symbol) : null;
  if (declared !== null) return { venue, symbol, ...declared };
  const instruments = await inferInstruments(paths, { venue, payloadOf: payloadReader(first) });
  const inferred = instruments.find((instrument) => instrument.symbol === symbol);
  if (inferred === undefined)
    throw new CommandError(
      `no message of ${symbol} in ${first}: its tick and lot can't be told; give them with --grid ${symbol}:0.01:0.001`,
    );
  return inferred;
}

/** File names say where rows came from; a thousand minutes are named by the first and the last. */
function nameOf(paths: readonly string[]): string {
  const names = paths.map((path) => keyOf(path) || basename(path));
  return names.length <= 3 ? names.join(" + ") : `${names[0]} … ${names.at(-1)} (${names.length} files)`;
}

async function* readRecords(
  paths: readonly string[],
  options: { decode: (line: string) => SourceRecord; onProgress: (done: number) => void },
): AsyncGenerator<SourceRecord[]> {
  let done = 0;
  for (const path of paths) {
    const onBytes = (bytes: number): void => {
      done += bytes;
      options.onProgress(done);
    };
    for await (const lines of readLines(path, onBytes)) {
      yield lines.filter((line) => line !== "").map(options.decode);
    }
  }
}

async function* withOpening(blocks: AsyncIterable<SourceRecord[]>): AsyncGenerator<SourceRecord[]> {
  let isOpen = false;
  for await (const block of blocks) {
    const first = isOpen ? undefined : block.find((record) => !("malformed" in record));
    if (first !== undefined && !("malformed" in first)) {
      isOpen = true;
      yield [openingBefore(first)];
    }
    yield block;
  }
}

async function sizeOf(paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) bytes += (await stat(path)).size;
  return bytes;
}
