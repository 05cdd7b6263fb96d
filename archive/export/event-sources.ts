/** What is exported: events files, or tapes (files, day files, or folders of them), each as a stream of records of known markets. */

import { basename, sep } from "node:path";
import type { Instrument } from "../../core/market/instrument.ts";
import { marketId, parseMarketId } from "../../core/market/instrument.ts";
import { FEED_TAPE_SYMBOL, parseTapeKey } from "../../core/wire/keys.ts";
import type { EventsHeader, MarketRecord } from "../../core/wire/market-events.ts";
import { decodeTapeLine } from "../../core/wire/tape.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { ArchiveError } from "../archive-error.ts";
import { dayFileName, isDayFile } from "../day-file.ts";
import { groupParts, partsLines } from "../day-parts.ts";
import { isEventsFile, type RefusedLine, readEventsFile, readEventsHeader } from "../events-file.ts";
import { type InputFile, inputFiles } from "../input-files.ts";
import { firstLineOf, readLines } from "../line-reader.ts";
import { tapeEvents } from "../tape-events.ts";

export interface SourcedRecord {
  readonly market: string;
  readonly record: MarketRecord;
}

export interface EventSource {
  readonly name: string;
  readonly headers: readonly EventsHeader[];
  readonly bytes: number;
  read(onBytes: (bytes: number) => void): AsyncIterable<readonly (SourcedRecord | RefusedLine)[]>;
}

export interface SourceOptions {
  /** The venue of tapes whose path or name doesn't say it. */
  readonly venue: string | null;
  /** Silences of a tape's books beyond it are gaps; null: as its pace says. */
  readonly silenceMs?: number | null;
}

const IS_WANTED = /\.(day|(tape|ndjson)(\.gz)?)$/;
/** Declarations stand at the head of a tape, behind what a restart may have written. */
const LINES_THAT_DECLARE = 2_000;

/** One source for each market (tapes) or file (events), in the order of the files. Throws ArchiveError when nothing is there. */
export async function eventSources(paths: readonly string[], options: SourceOptions): Promise<EventSource[]> {
  const files = await inputFiles(paths, (name) => IS_WANTED.test(name));
  const sources: EventSource[] = [];
  const tapes = new Map<string, TapeGroup>();
  for (const file of files) {
    if (!isDayFile(file.path) && (await isEventsFile(file.path))) sources.push(await eventsSource(file));
    else await addTape(file, tapes, options);
  }
  for (const group of tapes.values()) sources.push(tapeSource(group, options));
  if (sources.length === 0) throw new ArchiveError(`${paths.join(", ")}: neither a tape nor a file of events in there`);
  return sources;
}

interface TapeGroup {
  readonly venue: string;
  readonly instruments: readonly Instrument[];
  readonly files: InputFile[];
}

async function eventsSource(file: InputFile): Promise<EventSource> {
  const header = await readEventsHeader(file.path);
  return {
    name: basename(file.path),
    headers: [header],
    bytes: file.bytes,
    async *read(onBytes) {
      for await (const block of readEventsFile(file.path, header, onBytes)) {
        yield block.map((item) => ("refused" in item ? item : { market: header.market, record: item.record }));
      }
    },
  };
}

/** Minutes of one market are one source; tapes of other names are one for each set of markets that they declare. */
async function addTape(file: InputFile, groups: Map<string, TapeGroup>, { venue }: SourceOptions): Promise<void> {
  const parts = file.path.split(sep).join("/");
  const key = isDayFile(file.path)
    ? parseMarketId((await dayFileName(file.path)).market)
    : parseTapeKey(parts.slice(Math.max(0, parts.lastIndexOf("tape/v1/"))));
  if (key?.symbol.startsWith(FEED_TAPE_SYMBOL)) return;
  if ("malformed" in decodeTapeLine(await firstLineOf(file.path)))
    throw new ArchiveError(`${file.path} line 1: neither a tape record nor a header of events (a foreign format is imported first)`);
  // "binance-spot.tape.gz" is what `import wire --tape` writes.
  const spoken = key?.venue ?? venue ?? findAdapter(basename(file.path).split(".")[0] as string)?.venue;
  if (spoken === undefined) throw new ArchiveError(`${file.path}: its venue isn't in its path: name it with --venue`);
  const known = [...groups.values()].find((group) => key !== null && group.venue === spoken && group.instruments[0]?.symbol === key.symbol);
  if (known !== undefined) {
    known.files.push(file);
    return;
  }
  const instruments = (await declared(file.path, spoken)).filter(({ symbol }) => key === null || symbol === key.symbol);
  if (instruments.length === 0)
    throw new ArchiveError(`${file.path} declares no market (an "i" record) in its first ${LINES_THAT_DECLARE} lines`);
  const name = `${spoken} ${instruments.map(({ symbol }) => symbol).join(" ")}`;
  const group = groups.get(name) ?? { venue: spoken, instruments, files: [] };
  group.files.push(file);
  groups.set(name, group);
}

function tapeSource({ venue, instruments, files }: TapeGroup, { silenceMs }: SourceOptions): EventSource {
  const [first, last] = [files[0] as InputFile, files.at(-1) as InputFile];
  const name = files.length === 1 ? basename(first.path) : `${basename(first.path)} … ${basename(last.path)} (${files.length} tapes)`;
  return {
    name,
    headers: instruments.map(({ symbol, tick, lot }) => ({ market: marketId(venue, symbol), tick, lot, source: name })),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    read: (onBytes) => tapeEvents(tapeLines(files, onBytes), { venue, instruments, silenceMs }),
  };
}

async function* tapeLines(
  files: readonly InputFile[],
  onBytes: (bytes: number) => void,
): AsyncGenerator<{ file: string; lines: readonly string[]; firstLine: number }> {
  for (const parts of groupParts(files.map(({ path }) => path))) {
    const [file = ""] = parts;
    if (parts.length === 1) for await (const block of readLines(file, onBytes)) yield { file, ...block };
    // Numbers of lines are those of all parts together.
    else {
      let firstLine = 1;
      for await (const lines of partsLines(parts, onBytes)) {
        yield { file, lines, firstLine };
        firstLine += lines.length;
      }
    }
  }
}

async function declared(path: string, venue: string): Promise<Instrument[]> {
  const bySymbol = new Map<string, Instrument>();
  for await (const { lines, firstLine } of readLines(path)) {
    for (const line of lines) {
      const record = decodeTapeLine(line);
      if ("malformed" in record || record.kind !== "instrument" || bySymbol.has(record.symbol)) continue;
      bySymbol.set(record.symbol, { venue, symbol: record.symbol, tick: record.tick, lot: record.lot });
    }
    if (firstLine + lines.length > LINES_THAT_DECLARE) break;
  }
  return [...bySymbol.values()];
}
