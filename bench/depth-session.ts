/** A recorded depth session brought to the point where a book can start: its snapshot, and the messages that continue it. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { OrderBook } from "../core/book/order-book.ts";
import type { LevelBatch } from "../core/market/event.ts";
import type { Instrument } from "../core/market/instrument.ts";
import type { BookSequencer, Decoder, ExchangeAdapter } from "../exchanges/contract.ts";
import { findAdapter } from "../exchanges/registry.ts";
import { inferInstruments, type RecordedFrame, readRecording } from "./recording.ts";

/** BTCUSD_PERP of COIN-M, whose book's chain is `pu`. */
export const DEFAULT_RECORDING = resolve(import.meta.dirname, "../../shared/data/wire/binance-cm-btcusd-perp-20240808.ndjson.gz");

export interface DepthSession {
  readonly adapter: ExchangeAdapter;
  readonly instrument: Instrument;
  /** The body of the REST answer. */
  readonly snapshotBody: string;
  readonly snapshotSequence: number;
  /** Every frame of the recording. */
  readonly frames: readonly string[];
  /** First sequence of the first depth message. */
  readonly firstBuffered: number;
}

/** A book with the decoder and the sequencer that feed it, started from the session's snapshot. */
export interface StartedBook {
  readonly decoder: Decoder;
  readonly sequencer: BookSequencer;
  readonly book: OrderBook;
}

export function openSession(path: string): DepthSession {
  if (!existsSync(path)) throw new Error(`no recording at ${path}: name one with --file`);
  const recorded = readRecording(path);
  const adapter = findAdapter(recorded.some(({ text }) => text.includes('"pu":')) ? "binance-coin-m" : "binance-spot");
  const snapshotBody = recorded.find(({ kind }) => kind === "snapshot")?.text;
  if (adapter === null || snapshotBody === undefined) throw new Error(`${path} holds no depth snapshot to start from`);
  const [instrument, ...others] = inferInstruments(adapter.venue, recorded);
  if (instrument === undefined || others.length > 0) throw new Error(`${path} holds ${others.length + 1} symbols, not one`);
  const snapshot = adapter.createDecoder([instrument]).decodeSnapshot(instrument.symbol, snapshotBody);
  if (snapshot.kind !== "event" || snapshot.event.kind !== "snapshot") throw new Error(`the snapshot is ${JSON.stringify(snapshot)}`);
  return {
    adapter,
    instrument,
    snapshotBody,
    snapshotSequence: snapshot.event.lastSequence,
    frames: recorded.filter(({ kind }) => kind === "frame").map(({ text }) => text),
    firstBuffered: firstSequenceOf(recorded),
  };
}

export function startBook(session: DepthSession): StartedBook {
  const decoder = session.adapter.createDecoder([session.instrument]);
  const sequencer = session.adapter.createSequencer();
  const book = new OrderBook();
  const snapshot = decoder.decodeSnapshot(session.instrument.symbol, session.snapshotBody);
  if (snapshot.kind !== "event" || snapshot.event.kind !== "snapshot") throw new Error(`the snapshot is ${JSON.stringify(snapshot)}`);
  if (sequencer.judgeSnapshot(snapshot.event.lastSequence, session.firstBuffered) !== "apply")
    throw new Error("the snapshot does not join");
  book.replace(snapshot.event.levels, session.adapter.snapshotLimits);
  return { decoder, sequencer, book };
}

/** The bids and asks of a batch as arrays of their own. */
export function copyBatch(levels: LevelBatch): LevelBatch {
  const count = levels.bidCount + levels.askCount;
  return {
    bidCount: levels.bidCount,
    askCount: levels.askCount,
    priceTicks: levels.priceTicks.slice(0, count),
    sizeLots: levels.sizeLots.slice(0, count),
  };
}

function firstSequenceOf(recorded: readonly RecordedFrame[]): number {
  const first = recorded.find(({ text }) => text.includes('"depthUpdate"'))?.text;
  const sequence = Number(/"U":(\d+)/.exec(first ?? "")?.[1]);
  if (!Number.isSafeInteger(sequence)) throw new Error(`no depth message in the recording: ${first?.slice(0, 80)}`);
  return sequence;
}
