/**
 * A socket's frames decoded and applied to their books, beside JSON.parse alone on the same strings: for venues whose books begin on the
 * socket. The images that the books begin with are taken before the clock starts, and before JSON.parse's clock too: reading them takes
 * many times as long as a short session, and both find the processor's caches as it leaves them.
 */

import { OrderBook } from "../core/book/order-book.ts";
import type { MarketEvent } from "../core/market/event.ts";
import type { Instrument } from "../core/market/instrument.ts";
import { ContentHash } from "../core/math/hash.ts";
import type { BookSequencer, Decoder, ExchangeAdapter } from "../exchanges/contract.ts";
import { type BenchResult, type Contender, median, pairedRatio, timeRounds } from "./report.ts";

export interface SocketSession {
  readonly name: string;
  readonly adapter: ExchangeAdapter;
  readonly instruments: readonly Instrument[];
  /** The frames that begin the books: not timed. */
  readonly snapshots: readonly string[];
  /** What is timed. */
  readonly frames: readonly string[];
  /** `new`: each round has a decoder and books of its own. `kept`: all rounds have the same, brought back by the snapshots. */
  readonly books: "new" | "kept";
}

export function benchBesideParse(session: SocketSession, rounds: number): BenchResult[] {
  let started = start(session);
  let idle = start(session);
  let parsed = 0;
  const contenders: Contender[] = [
    {
      name: "edgebook",
      prepare() {
        if (session.books === "new") started = start(session);
        else take(started, session.snapshots);
      },
      work: () => take(started, session.frames),
    },
    {
      name: "JSON.parse",
      prepare() {
        parsed = 0;
        if (session.books === "new") idle = start(session);
        else take(idle, session.snapshots);
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

function start({ adapter, instruments, snapshots }: SocketSession): Started {
  const books = new Map(instruments.map(({ symbol }) => [symbol, { book: new OrderBook(), sequencer: adapter.createSequencer() }]));
  const started = { decoder: adapter.createDecoder(instruments), books };
  take(started, snapshots);
  return started;
}

function take({ decoder, books }: Started, frames: readonly string[]): void {
  for (const frame of frames) {
    const decoded = decoder.decode(frame);
    if (decoded.kind === "malformed") throw new Error(`malformed frame in the recording: ${decoded.reason}`);
    if (decoded.kind === "event") takeEvent(books, decoded.event);
    if (decoded.kind !== "events") continue;
    for (let next = decoded.next(); next !== null; next = decoded.next()) {
      if (next.kind === "loss") throw new Error(`the recording breaks: ${next.detail}`);
      takeEvent(books, next);
    }
  }
}

function takeEvent(books: Started["books"], event: MarketEvent): void {
  if (event.kind !== "depth" && event.kind !== "snapshot") return;
  const market = books.get(event.symbol);
  if (market === undefined) return;
  if (event.kind === "depth") {
    if (market.sequencer.judge(event) === "apply") market.book.apply(event.levels);
  } else {
    market.sequencer.judgeSnapshot(event.lastSequence, null);
    market.book.replace(event.levels, []);
  }
}

function hashOf({ books }: Started): string {
  const hash = new ContentHash();
  for (const { book } of books.values()) hash.text(book.contentHash());
  return hash.digest();
}
