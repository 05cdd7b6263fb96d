/**
 * Coinbase's frames decoded and applied a second, beside JSON.parse alone on the same strings: as `decode`, for venues whose books begin on
 * the socket. The snapshots are in the books before the clock starts.
 *
 * Three forms of one recorded session of ten products: as recorded (a message a change), as today's `level2_batch` sends it (50 ms of a product's
 * changes in one), and those batches in the layout of Advanced Trade, of which there is no recording. All end in the same books.
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { OrderBook } from "../core/book/order-book.ts";
import type { Instrument } from "../core/market/instrument.ts";
import { ContentHash } from "../core/math/hash.ts";
import { coinbaseAdvanced } from "../exchanges/coinbase/advanced.ts";
import { coinbaseExchange } from "../exchanges/coinbase/exchange.ts";
import type { BookSequencer, Decoder, ExchangeAdapter } from "../exchanges/contract.ts";
import { inferInstruments, type RecordedFrame, readRecording } from "./recording.ts";
import { type BenchOptions, type BenchResult, type Contender, median, pairedRatio, timeRounds } from "./report.ts";

const RECORDING = resolve(import.meta.dirname, "../../shared/data/wire/coinbase-exchange-2021-04-17.ws.txt.gz");
const BATCH_MS = 50;

interface Session {
  readonly name: string;
  readonly adapter: ExchangeAdapter;
  readonly instruments: readonly Instrument[];
  readonly snapshots: readonly string[];
  readonly frames: readonly string[];
}

interface BookMessage {
  readonly type: string;
  readonly product_id: string;
  readonly time: string;
  readonly bids: [string, string][];
  readonly asks: [string, string][];
  readonly changes: [string, string, string][];
}

export async function benchDecodeCoinbase({ file, rounds }: BenchOptions): Promise<BenchResult[]> {
  const path = file ?? RECORDING;
  if (!existsSync(path)) throw new Error(`no recording at ${path}: name one with --file`);
  return sessionsOf(readRecording(path)).flatMap((session) => benchSession(session, rounds));
}

function benchSession(session: Session, rounds: number): BenchResult[] {
  let started = start(session);
  let parsed = 0;
  const contenders: Contender[] = [
    {
      name: "edgebook",
      prepare() {
        started = start(session);
      },
      work: () => take(started, session.frames),
    },
    {
      name: "JSON.parse",
      prepare() {
        parsed = 0;
      },
      work() {
        for (const frame of session.frames) if (JSON.parse(frame) !== null) parsed++;
      },
    },
  ];
  const [own, parse] = timeRounds(contenders, rounds) as [number[], number[]];
  if (parsed !== session.frames.length) throw new Error(`JSON.parse read ${parsed} of ${session.frames.length} frames`);
  const sizes = { frames: session.frames.length, characters: session.frames.reduce((sum, { length }) => sum + length, 0), rounds };
  const result = (name: string, seconds: readonly number[]) => ({
    name: `decode ${session.name} ${name}`,
    sizes,
    seconds: median(seconds),
    framesPerSecond: Math.round(sizes.frames / median(seconds)),
    hash: hashOf(started),
  });
  return [
    { ...result("and apply, edgebook", own), peer: "JSON.parse alone", ratio: pairedRatio(own, parse) },
    result("JSON.parse alone", parse),
  ];
}

interface Started {
  readonly decoder: Decoder;
  readonly books: ReadonlyMap<string, { readonly book: OrderBook; readonly sequencer: BookSequencer }>;
}

function start({ adapter, instruments, snapshots }: Session): Started {
  const books = new Map(instruments.map(({ symbol }) => [symbol, { book: new OrderBook(), sequencer: adapter.createSequencer() }]));
  const started = { decoder: adapter.createDecoder(instruments), books };
  take(started, snapshots);
  return started;
}

function take({ decoder, books }: Started, frames: readonly string[]): void {
  for (const frame of frames) {
    const decoded = decoder.decode(frame);
    if (decoded.kind === "malformed") throw new Error(`malformed frame in the recording: ${decoded.reason}`);
    if (decoded.kind !== "event") continue;
    const { event } = decoded;
    const market = books.get(event.symbol);
    if (market === undefined) continue;
    if (event.kind === "depth") {
      if (market.sequencer.judge(event) === "apply") market.book.apply(event.levels);
    } else if (event.kind === "snapshot") {
      market.sequencer.judgeSnapshot(event.lastSequence, null);
      market.book.replace(event.levels, []);
    }
  }
}

function hashOf({ books }: Started): string {
  const hash = new ContentHash();
  for (const { book } of books.values()) hash.text(book.contentHash());
  return hash.digest();
}

function sessionsOf(captured: readonly RecordedFrame[]): Session[] {
  const instruments = inferInstruments("coinbase-exchange", captured);
  const recorded = captured.map(({ text }) => text);
  const batched = inBatches(captured);
  const session = (name: string, adapter: ExchangeAdapter, frames: readonly string[]): Session => {
    const isSnapshot = (frame: string) => frame.includes('"snapshot"');
    return { name, adapter, instruments, snapshots: frames.filter(isSnapshot), frames: frames.filter((frame) => !isSnapshot(frame)) };
  };
  return [
    session("as recorded,", coinbaseExchange, recorded),
    session("in batches of 50 ms,", coinbaseExchange, batched.map(asText)),
    session("as Advanced Trade,", coinbaseAdvanced, batched.map(advancedText)),
  ];
}

/** The book's messages, with the changes of a product within a batch's time in one. */
function inBatches(captured: readonly RecordedFrame[]): BookMessage[] {
  const messages: BookMessage[] = [];
  const open = new Map<string, { until: number; message: BookMessage }>();
  for (const { receivedAt, text } of captured) {
    const message = JSON.parse(text) as BookMessage;
    if (message.type === "snapshot") messages.push(message);
    if (message.type !== "l2update") continue;
    const batch = open.get(message.product_id);
    if (batch !== undefined && receivedAt < batch.until) {
      batch.message.changes.push(...message.changes);
    } else {
      open.set(message.product_id, { until: receivedAt + BATCH_MS, message });
      messages.push(message);
    }
  }
  return messages;
}

/** A flat string of its own bytes, as a socket gives it. */
function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

function asText({ type, product_id, asks, bids, changes, time }: BookMessage): string {
  return flat(JSON.stringify(type === "snapshot" ? { type, product_id, asks, bids } : { type, product_id, changes, time }));
}

function advancedText(
  { type, product_id, asks, bids, changes, time = "2021-04-17T16:43:37.000001Z" }: BookMessage,
  sequence_num: number,
): string {
  const update = (side: string, [price, size]: readonly [string, string]) => ({
    ...{ side, event_time: time },
    ...{ price_level: trimmed(price), new_quantity: trimmed(size) },
  });
  const updates =
    type === "snapshot"
      ? [...bids.map((level) => update("bid", level)), ...asks.map((level) => update("offer", level))]
      : changes.map(([side, ...level]) => update(side === "buy" ? "bid" : "offer", level));
  const event = { type: type === "snapshot" ? type : "update", product_id, updates };
  return flat(JSON.stringify({ channel: "l2_data", timestamp: time, sequence_num, events: [event] }));
}

/** Advanced Trade writes no trailing zeros. */
function trimmed(decimal: string): string {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal;
}
