/**
 * Day files beside general compressors, on the recorded tapes: bytes for each level update, and how fast tapes go in and come out.
 *
 * Every codec gets the same text (tape lines, as R2 has them before gzip) and must give back each byte of it, which is checked before anything is
 * timed. A day file is of one market, so recordings of several are cut by market first, for all codecs alike. Ours and node:zlib's are timed in
 * paired rounds; xz (the program, where installed) and Parquet with zstd (hyparquet-writer, where installed) once, since they are far slower.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { openDayFileKernel } from "../archive/day-file-kernel.ts";
import { decodeBlock, encodeBlock } from "../core/wire/day-file/block-codec.ts";
import { encodeBlockBy } from "../core/wire/day-file/kernel.ts";
import { readDayFile } from "../core/wire/day-file/reader.ts";
import { DayFileWriter } from "../core/wire/day-file/writer.ts";
import { encodeFrame } from "../core/wire/tape.ts";
import { type RecordedFrame, readRecording } from "./recording.ts";
import { type BenchOptions, type BenchResult, type Contender, median, pairedRatio, timeRounds } from "./report.ts";

const WIRE = resolve(import.meta.dirname, "..", "..", "shared", "data", "wire");
const RECORDINGS = [
  "binance-spot-btcusdt-20240808.ndjson.gz",
  "binance-spot-btcusdt-20240809.ndjson.gz",
  "binance-cm-btcusd-perp-20240808.ndjson.gz",
  "binance-spot-thin-2021-10-12.ws.txt.gz",
  "coinbase-exchange-2021-04-17.ws.txt.gz",
  "bitmex-2021-07-22.ws.txt.gz",
];
/** A stand-in for the day: a name of the file, no more. */
const DAY = "2000-01-01";

interface Stream {
  readonly name: string;
  /** One tape a market. */
  readonly tapes: readonly Uint8Array[];
  readonly textBytes: number;
  readonly levelUpdates: number;
}

/** A codec over whole tapes. `encode` gives as many pieces as it likes; `decode` gives the text of one tape. */
interface Codec {
  readonly name: string;
  encode(tape: Uint8Array): Uint8Array[];
  decode(pieces: readonly Uint8Array[]): Uint8Array;
}

export async function benchArchive({ file, rounds }: BenchOptions): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const path of file === null ? RECORDINGS.map((name) => resolve(WIRE, name)) : [file]) {
    const frames = readRecording(path);
    const depth = frames.filter(({ text }) => levelsOf(text) > 0);
    for (const [part, taken] of [
      ["depth", depth],
      ["all", frames],
    ] as const)
      results.push(...(await benchStream(toStream(`${basename(path).split(".")[0]} ${part}`, taken), rounds)));
  }
  return results;
}

async function benchStream(stream: Stream, rounds: number): Promise<BenchResult[]> {
  const fileBytes = await Promise.all(stream.tapes.map(dayFileBytes));
  const byKernel = dayFileBlocks("day file", (text) => encodeBlockBy(kernel, text));
  const withoutKernel = dayFileBlocks("day file without the kernel", encodeBlock);
  const others = [gzip(9), zstd(3), ...(stream.textBytes < 1e6 ? [zstd(19)] : [])];
  const codecs = [byKernel, gzip(6), withoutKernel, ...others];
  const packed = codecs.map((codec) => stream.tapes.map((tape) => codec.encode(tape)));
  const hashes = codecs.map((codec, at) => roundTrip(stream, codec, packed[at] as Uint8Array[][]));
  const encode = timeRounds(
    codecs.map((codec) => contender(codec.name, () => stream.tapes.map((tape) => codec.encode(tape)))),
    rounds,
  );
  const cpu = leastCpuSeconds(
    [byKernel, gzip(6), withoutKernel].map((codec) => () => stream.tapes.map((tape) => codec.encode(tape))),
    rounds,
  );
  const decode = timeRounds(
    codecs.map((codec, at) => contender(codec.name, () => (packed[at] as Uint8Array[][]).map((pieces) => codec.decode(pieces)))),
    rounds,
  );
  const gzipAt = 1;
  const results = codecs.map((codec, at) => ({
    ...result(
      stream,
      codec.name,
      codec === byKernel || codec === withoutKernel ? sum(fileBytes) : sizeOf(packed[at] as Uint8Array[][]),
      rounds,
    ),
    seconds: median(encode[at] as number[]),
    encodeMegabytesPerSecond: speed(stream, median(encode[at] as number[])),
    decodeMegabytesPerSecond: speed(stream, median(decode[at] as number[])),
    ...(cpu[at] === undefined ? {} : { encodeCpuRatio: round((cpu[gzipAt] as number) / cpu[at]) }),
    ...(at === gzipAt ? {} : { peer: "gzip -6", ratio: pairedRatio(encode[at] as number[], encode[gzipAt] as number[]) }),
    hash: hashes[at] as string,
  }));
  return [...results, ...timedOnce(stream, xz()), ...(await parquet(stream))];
}

/** The least CPU time of each, in turn: what they take when nobody else has the machine's caches. */
function leastCpuSeconds(works: readonly (() => unknown)[], rounds: number): number[] {
  const least = works.map(() => Number.POSITIVE_INFINITY);
  for (let left = rounds; left > 0; left--)
    for (const [at, work] of works.entries()) {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      least[at] = Math.min(least[at] as number, (user + system) / 1e6);
    }
  return least;
}

function contender(name: string, work: () => unknown): Contender {
  return { name, prepare() {}, work: () => void work() };
}

function result(stream: Stream, codec: string, bytes: number, rounds: number) {
  return {
    name: `archive ${stream.name}, ${codec}`,
    sizes: { textBytes: stream.textBytes, levelUpdates: stream.levelUpdates, tapes: stream.tapes.length, rounds },
    bytes,
    bytesPerLevelUpdate: round(bytes / stream.levelUpdates),
  };
}

/** @returns the hash of what came out, which is that of what went in. */
function roundTrip(stream: Stream, codec: Codec, packed: readonly Uint8Array[][]): string {
  const out = createHash("sha256");
  for (const [at, pieces] of packed.entries()) {
    const text = codec.decode(pieces);
    if (Buffer.compare(text, stream.tapes[at] as Uint8Array) !== 0)
      throw new Error(`${codec.name} gives back another text of ${stream.name}`);
    out.update(text);
  }
  return out.digest("hex").slice(0, 16);
}

/** The whole file, through its chain: its size counts hashes and index. */
async function dayFileBytes(tape: Uint8Array): Promise<number> {
  const writer = new DayFileWriter({ market: "bench:TAPE", day: DAY, digest: sha256, kernel });
  const file = [await writer.push(tape), (await writer.finish()).bytes];
  const texts: Uint8Array[] = [];
  for await (const part of readDayFile(file, sha256)) {
    if (part.kind === "fault") throw new Error(`the day file is ${part.fault.kind}: ${part.fault.detail}`);
    if (part.kind === "block") texts.push(part.text);
  }
  if (Buffer.compare(Buffer.concat(texts), tape) !== 0) throw new Error("the day file gives back another text");
  return sizeOf([file]);
}

const kernel = openDayFileKernel();

/** The blocks alone, with their hashes, since rounds are timed without promises: all that takes time. */
function dayFileBlocks(name: string, encodeBlock: (text: Uint8Array) => Uint8Array): Codec {
  const sizes = new Map<Uint8Array, number>();
  return {
    name,
    encode(tape) {
      const blocks: Uint8Array[] = [];
      for (let from = 0; from < tape.length; ) {
        const feed = tape.indexOf(10, from + 8 * 1024 * 1024);
        const to = feed < 0 ? tape.length : feed + 1;
        const block = encodeBlock(tape.subarray(from, to));
        sha256(block);
        sizes.set(block, to - from);
        blocks.push(block);
        from = to;
      }
      return blocks;
    },
    decode(blocks) {
      return Buffer.concat(
        blocks.map((block) => {
          sha256(block);
          const text = decodeBlock(block, sizes.get(block) ?? 0);
          if ("malformed" in text) throw new Error(text.malformed);
          return text;
        }),
      );
    },
  };
}

function gzip(level: number): Codec {
  return { name: `gzip -${level}`, encode: (tape) => [gzipSync(tape, { level })], decode: ([piece]) => gunzipSync(piece as Uint8Array) };
}

function zstd(level: number): Codec {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return {
    name: `zstd -${level}`,
    encode: (tape) => [zstdCompressSync(tape, { params })],
    decode: ([piece]) => zstdDecompressSync(piece as Uint8Array),
  };
}

function xz(): Codec | null {
  if (spawnSync("xz", ["--version"]).status !== 0) return null;
  const run = (args: string[], input: Uint8Array) => spawnSync("xz", args, { input, maxBuffer: 1 << 30 }).stdout;
  return { name: "xz -6", encode: (tape) => [run(["-6", "-c"], tape)], decode: ([piece]) => run(["-d", "-c"], piece as Uint8Array) };
}

function timedOnce(stream: Stream, codec: Codec | null): BenchResult[] {
  if (codec === null) {
    process.stderr.write("archive: no xz is installed: left out\n");
    return [];
  }
  const start = performance.now();
  const packed = stream.tapes.map((tape) => codec.encode(tape));
  const encoded = performance.now();
  const hash = roundTrip(stream, codec, packed);
  const decoded = performance.now();
  const seconds = (encoded - start) / 1_000;
  return [
    {
      ...result(stream, codec.name, sizeOf(packed), 1),
      seconds,
      encodeMegabytesPerSecond: speed(stream, seconds),
      decodeMegabytesPerSecond: speed(stream, (decoded - encoded) / 1_000),
      hash,
    },
  ];
}

interface ParquetWriter {
  parquetWriteBuffer(options: Readonly<Record<string, unknown>>): ArrayBuffer;
}

/** Receive times and frames as two columns: what a general columnar file makes of a tape. */
async function parquet(stream: Stream): Promise<BenchResult[]> {
  // By a name that the compiler does not follow: the package need not be installed.
  const name: string = "hyparquet-writer";
  const writer: ParquetWriter | null = await import(name).catch(() => null);
  if (writer === null) {
    process.stderr.write("archive: hyparquet-writer is not installed: Parquet is left out\n");
    return [];
  }
  const start = performance.now();
  const bytes = stream.tapes.map((tape) => {
    const lines = Buffer.from(tape).toString("utf8").trimEnd().split("\n");
    const receivedAt = BigInt64Array.from(lines, (line) => BigInt(line.slice(0, line.indexOf(" "))));
    const frames = lines.map((line) => line.slice(line.indexOf(" ") + 1));
    return writer.parquetWriteBuffer({
      columnData: [
        { name: "receivedAt", data: receivedAt, type: "INT64", encoding: "DELTA_BINARY_PACKED" },
        { name: "record", data: frames, type: "STRING" },
      ],
      codec: "ZSTD",
      compressors: { ZSTD: (page: Uint8Array) => new Uint8Array(zstdCompressSync(page)) },
    }).byteLength;
  });
  const seconds = (performance.now() - start) / 1_000;
  return [
    {
      ...result(stream, "Parquet with zstd", sum(bytes), 1),
      seconds,
      encodeMegabytesPerSecond: speed(stream, seconds),
      hash: "not read back",
    },
  ];
}

function toStream(name: string, frames: readonly RecordedFrame[]): Stream {
  const lines = new Map<string, string[]>();
  let levelUpdates = 0;
  for (const { receivedAt, text } of frames) {
    levelUpdates += levelsOf(text);
    const market = /"(?:s|product_id|symbol)":"([^"]+)"/.exec(text)?.[1] ?? "";
    const ofMarket = lines.get(market) ?? [];
    ofMarket.push(encodeFrame(Math.floor(receivedAt), text));
    lines.set(market, ofMarket);
  }
  const tapes = [...lines.values()].map((ofMarket) => new Uint8Array(Buffer.from(ofMarket.join(""))));
  return { name, tapes, textBytes: tapes.reduce((total, { length }) => total + length, 0), levelUpdates };
}

/** Levels that a message of a book sets, whichever venue's it is; 0 for what is no such message. */
function levelsOf(text: string): number {
  const frame: unknown = JSON.parse(text);
  const data = field(frame, "data") ?? frame;
  if (Array.isArray(data)) return String(field(frame, "table")).startsWith("orderBookL2") ? data.length : 0;
  let levels = 0;
  for (const key of ["b", "a", "bids", "asks", "changes"]) {
    const list = field(data, key);
    if (Array.isArray(list)) levels += list.length;
  }
  return levels;
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function sizeOf(packed: readonly (readonly Uint8Array[])[]): number {
  return packed.reduce((total, pieces) => total + sum(pieces.map(({ length }) => length)), 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function speed(stream: Stream, seconds: number): number {
  return round(stream.textBytes / seconds / 1e6);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}
