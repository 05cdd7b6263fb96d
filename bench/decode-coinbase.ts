/**
 * Coinbase's frames decoded and applied a second, beside JSON.parse alone on the same strings: as `decode`, for venues whose books begin on
 * the socket. The snapshots are in the books before the clock starts.
 *
 * Three forms of one recorded session of ten products: as recorded (a message a change), as today's `level2_batch` sends it (50 ms of a product's
 * changes in one), and those batches in the layout of Advanced Trade, of which there is no recording. All end in the same books.
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { coinbaseAdvanced } from "../exchanges/coinbase/advanced.ts";
import { coinbaseExchange } from "../exchanges/coinbase/exchange.ts";
import type { ExchangeAdapter } from "../exchanges/contract.ts";
import { benchBesideParse, type SocketSession } from "./beside-parse.ts";
import { inferInstruments, type RecordedFrame, readRecording } from "./recording.ts";
import type { BenchOptions, BenchResult } from "./report.ts";

const RECORDING = resolve(import.meta.dirname, "../../shared/data/wire/coinbase-exchange-2021-04-17.ws.txt.gz");
const BATCH_MS = 50;
/** A pass takes some milliseconds, and the first hundred are the compiler's: each round is as many, each timed beside its peer. */
const PASSES_PER_ROUND = 10;

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
  return sessionsOf(readRecording(path)).flatMap((session) => benchBesideParse(session, rounds * PASSES_PER_ROUND));
}

function sessionsOf(captured: readonly RecordedFrame[]): SocketSession[] {
  const instruments = inferInstruments("coinbase-exchange", captured);
  const recorded = captured.map(({ text }) => text);
  const batched = inBatches(captured);
  const session = (name: string, adapter: ExchangeAdapter, frames: readonly string[]): SocketSession => {
    const isSnapshot = (frame: string) => frame.includes('"snapshot"');
    const changes = frames.filter((frame) => !isSnapshot(frame));
    return { name, adapter, instruments, snapshots: frames.filter(isSnapshot), frames: changes, books: "new" };
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
