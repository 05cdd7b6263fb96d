/**
 * What it costs to hold a venue's own list of its best ten levels beside the book: BitMEX's frames decoded, applied and checked, beside the same without
 * the check, and beside JSON.parse alone on the same strings. And what each table brings: frames, characters, and bytes of a day file.
 *
 * The frames are the simulator's, of a generated market or of a file of market events told through BitMEX's protocol: of orderBook10 there is no
 * recording. A busy one: the generated market changes its best ten levels at nearly every message.
 */

import { gzipSync } from "node:zlib";
import { OrderBook } from "../core/book/order-book.ts";
import type { MarketEvent } from "../core/market/event.ts";
import type { Instrument } from "../core/market/instrument.ts";
import { encodeBlock } from "../core/wire/day-file/block-codec.ts";
import { encodeFrame } from "../core/wire/tape.ts";
import type { ReceivedText } from "../exchange-simulator/in-process.ts";
import { openClient } from "../exchange-simulator/in-process.ts";
import { buildWorld } from "../exchange-simulator/simulated-venues.ts";
import type { World } from "../exchange-simulator/world.ts";
import { bitmex } from "../exchanges/bitmex/bitmex.ts";
import type { BookSequencer, Decoder } from "../exchanges/contract.ts";
import { BookCheck } from "../feed/book-check.ts";
import { type BenchOptions, type BenchResult, type Contender, median, pairedRatio, timeRounds } from "./report.ts";

const SECONDS = 60;
const START = Date.UTC(2026, 10, 21, 12);
const TABLES = ["orderBookL2", "trade", "quote", "orderBook10", "instrument"] as const;

interface Session {
  readonly instrument: Instrument;
  readonly frames: readonly ReceivedText[];
}

interface Started {
  readonly decoder: Decoder;
  readonly sequencer: BookSequencer;
  readonly book: OrderBook;
  readonly check: BookCheck;
}

export async function benchLevels({ file, rounds }: BenchOptions): Promise<BenchResult[]> {
  const session = await openSession(file);
  const heard = session.frames;
  const changes = heard.filter(({ text }) => tableOf(text) !== "orderBook10");
  const started = { checked: start(session), unchecked: start(session), without: start(session) };
  const contenders: Contender[] = [
    {
      name: "decoded, applied and checked",
      prepare() {
        started.checked = start(session);
      },
      work: () => take(started.checked, heard, "checked"),
    },
    {
      name: "without the check",
      prepare() {
        started.unchecked = start(session);
      },
      work: () => take(started.unchecked, heard, "unchecked"),
    },
    { name: "JSON.parse alone", prepare: () => undefined, work: () => parseAll(heard) },
    {
      name: "without orderBook10, checked by quotes",
      prepare() {
        started.without = start(session);
      },
      work: () => take(started.without, changes, "checked"),
    },
    { name: "JSON.parse alone, without orderBook10", prepare: () => undefined, work: () => parseAll(changes) },
  ];
  const seconds = timeRounds(contenders, rounds);
  const { check, book } = started.checked;
  const counts = check.topLevels;
  if (counts === null || counts.mismatches > 0) throw new Error(`the book is not the venue's: ${JSON.stringify(counts)}`);
  for (const other of [started.unchecked, started.without])
    if (other.book.contentHash() !== book.contentHash()) throw new Error("the same frames gave another book");
  const own = seconds[0] as number[];
  const results = contenders.map(({ name }, at) => ({
    name: `levels ${name}`,
    sizes: { frames: heard.length, comparisons: counts.comparisons, rounds },
    seconds: median(seconds[at] as number[]),
    ...(at === 0 ? {} : { peer: "edgebook, checked", ratio: 1 / pairedRatio(own, seconds[at] as number[]) }),
    hash: book.contentHash(),
  }));
  return [{ ...(results[0] as BenchResult), tables: tablesOf(session) }, ...results.slice(1)];
}

async function openSession(file: string | null): Promise<Session> {
  const generated = { names: file === null ? ["BTC-USD"] : [], preset: "both", seed: 21, startTime: START, seconds: SECONDS + 1 } as const;
  const world = await buildWorld({ venues: ["bitmex"], generated, ...(file === null ? {} : { events: [file] }) });
  const instrument = instrumentOf(world);
  const client = openClient(world, "bitmex", "/realtime");
  for (const table of TABLES) client.say(JSON.stringify({ op: "subscribe", args: [`${table}:${instrument.symbol}`] }));
  const frames: ReceivedText[] = [];
  const from = world.clock.now;
  for (let now = from; now <= from + SECONDS * 1_000; now += 100) {
    if (world.advanceTo(now) === "starved") await world.fill();
    // Flat, as a socket gives them.
    for (const { text, receivedAt } of client.takeTimed()) frames.push({ text: Buffer.from(text).toString("latin1"), receivedAt });
  }
  await world.close();
  return { instrument, frames: frames.filter(({ text }) => tableOf(text) !== null) };
}

function instrumentOf(world: World): Instrument {
  const { answer } = world.rest("bitmex", { method: "GET", path: "/api/v1/instrument/active", query: new URLSearchParams() });
  const symbols = (JSON.parse(answer.body) as { symbol: string }[]).map(({ symbol }) => symbol);
  const decoded = bitmex.decodeInstruments(answer.body, symbols);
  const instrument = "malformed" in decoded ? undefined : decoded.instruments[0];
  if (instrument === undefined) throw new Error(`the simulator lists no market: ${answer.body.slice(0, 200)}`);
  return instrument;
}

function start({ instrument }: Session): Started {
  return {
    decoder: bitmex.createDecoder([instrument]),
    sequencer: bitmex.createSequencer(),
    book: new OrderBook(),
    check: new BookCheck(),
  };
}

/** What a feed does with a frame, checks included. */
function take(started: Started, frames: readonly ReceivedText[], levels: "checked" | "unchecked"): void {
  for (const { text, receivedAt } of frames) {
    const decoded = started.decoder.decode(text);
    if (decoded.kind === "malformed") throw new Error(`malformed: ${decoded.reason}`);
    if (decoded.kind === "event") takeEvent(started, decoded.event, { receivedAt, levels });
    if (decoded.kind !== "events") continue;
    for (let event = decoded.next(); event !== null; event = decoded.next()) {
      if (event.kind === "loss") throw new Error(`lost: ${event.detail}`);
      takeEvent(started, event, { receivedAt, levels });
    }
  }
}

function takeEvent(
  { sequencer, book, check }: Started,
  event: MarketEvent,
  { receivedAt, levels }: { receivedAt: number; levels: "checked" | "unchecked" },
): void {
  if (event.kind === "snapshot") {
    sequencer.judgeSnapshot(event.lastSequence, null);
    book.replace(event.levels, []);
    check.replaced(book, receivedAt);
  } else if (event.kind === "depth") {
    if (sequencer.judge(event) !== "apply") throw new Error("a change that doesn't follow");
    book.apply(event.levels);
    check.onBook(book, event.lastSequence, receivedAt);
    if (levels === "checked") check.onLevels(book, event.levels, receivedAt);
  } else if (event.kind === "quote") check.onQuote(event, book, { bookSequence: null, receivedAt });
  else if (event.kind === "top-levels" && levels === "checked") check.onTopLevels(event, book, receivedAt);
}

function parseAll(frames: readonly ReceivedText[]): void {
  for (const { text } of frames) if (JSON.parse(text) === null) throw new Error("a frame that is null");
}

function tableOf(text: string): string | null {
  return /^\{"table":"(\w+)"/.exec(text)?.[1] ?? null;
}

/** What each table brings a second: as it comes, as a tape of its own behind gzip, and what it adds to the day file of the others. */
function tablesOf({ frames }: Session): Record<string, Record<string, number>> {
  const bytesOf = (tables: readonly string[]) => encodeBlock(linesOf(frames, tables)).length;
  const perSecond = (value: number) => Math.round((10 * value) / SECONDS) / 10;
  return Object.fromEntries(
    TABLES.map((table) => {
      const others = TABLES.slice(0, 3).filter((other) => other !== table);
      const of = frames.filter(({ text }) => tableOf(text) === table);
      const measured = {
        framesPerSecond: perSecond(of.length),
        charactersPerSecond: perSecond(of.reduce((sum, { text }) => sum + text.length, 0)),
        gzipBytesPerSecond: perSecond(gzipSync(linesOf(frames, [table])).length),
        dayFileBytesPerSecond: perSecond(bytesOf([...others, table]) - bytesOf(others)),
      };
      return [table, measured];
    }),
  );
}

function linesOf(frames: readonly ReceivedText[], tables: readonly string[]): Uint8Array {
  const taken = frames.filter(({ text }) => tables.includes(tableOf(text) ?? ""));
  return new TextEncoder().encode(taken.map(({ text, receivedAt }) => encodeFrame(receivedAt, text)).join(""));
}
