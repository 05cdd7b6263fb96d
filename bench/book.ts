/**
 * Level updates a second of our book, beside tardis-dev's and ccxt's, on the same recorded messages in the same run.
 *
 * Each is fed already-parsed updates in the form it prefers (ours: ticks and lots; theirs: objects, numbers), starts each round from the
 * same snapshot (not timed) and must end it with the same levels. Before anything is timed the three walk the recording together and are
 * compared with the venue's own quote at each equal sequence number.
 */

import { OrderBook } from "../core/book/order-book.ts";
import type { LevelBatch } from "../core/market/event.ts";
import { ContentHash } from "../core/math/hash.ts";
import { gridStep } from "../core/units/decimal.ts";
import { createCcxtPeer, createTardisPeer, type NumericLevels, type PeerBook } from "./book-peers.ts";
import { copyBatch, DEFAULT_RECORDING, type DepthSession, openSession, startBook } from "./depth-session.ts";
import { type BenchOptions, type BenchResult, type Contender, median, pairedRatio, timeRounds } from "./report.ts";

/** What the venue said its top was, at one message of the book: [bid price, bid size, ask price, ask size] in ticks and lots. */
interface QuoteAt {
  readonly message: number;
  readonly top: readonly number[];
}

interface BookWork {
  readonly session: DepthSession;
  readonly snapshot: LevelBatch;
  readonly messages: readonly LevelBatch[];
  readonly quotes: readonly QuoteAt[];
}

export async function benchBook({ file, rounds }: BenchOptions): Promise<BenchResult[]> {
  const work = collectWork(openSession(file ?? DEFAULT_RECORDING));
  const numeric = work.messages.map((message) => toNumbers(work.session, message));
  const snapshot = toNumbers(work.session, work.snapshot);
  const peers = [
    { name: "tardis-dev", book: createTardisPeer(numeric) },
    { name: "ccxt", book: await createCcxtPeer(numeric) },
  ];
  const ours = createOurs(work);
  const books = [{ name: "edgebook", book: ours }, ...peers];
  const checks = books.map(({ book }) => compareWithQuotes(work, snapshot, book));

  const contenders: Contender[] = books.map(({ name, book }) => ({
    name,
    prepare: () => book.start(snapshot),
    work: () => book.apply(0, work.messages.length),
  }));
  const seconds = timeRounds(contenders, rounds);
  for (const [at, { name, book }] of books.entries()) {
    if (hashOf(work.session, book) !== hashOf(work.session, ours)) throw new Error(`${name} ends with other levels than edgebook`);
    if (checks[at]?.mismatches !== 0) throw new Error(`${name} disagrees with the venue's quote: ${JSON.stringify(checks[at])}`);
  }
  const levelUpdates = work.messages.reduce((sum, message) => sum + message.bidCount + message.askCount, 0);
  const own = seconds[0] as number[];
  return books.map(({ name, book }, at) => {
    const taken = median(seconds[at] as number[]);
    return {
      name: `book ${name}`,
      sizes: { messages: work.messages.length, levelUpdates, rounds },
      seconds: taken,
      levelUpdatesPerSecond: Math.round(levelUpdates / taken),
      ...(at === 0 ? {} : { peer: "edgebook", ratio: 1 / pairedRatio(own, seconds[at] as number[]) }),
      ...(at === 0 ? { timesFasterThan: fasterThan(peers, own, seconds) } : {}),
      quoteComparisons: checks[at]?.comparisons,
      quoteMismatches: checks[at]?.mismatches,
      hash: hashOf(work.session, book),
    };
  });
}

function fasterThan(peers: readonly { name: string }[], own: readonly number[], seconds: readonly number[][]): Record<string, number> {
  return Object.fromEntries(peers.map(({ name }, at) => [name, pairedRatio(own, seconds[at + 1] as number[])]));
}

/** Decodes the recording once: the messages that continue the snapshot, and the quotes that came with the sequence of one of them. */
function collectWork(session: DepthSession): BookWork {
  const { decoder, sequencer } = startBook(session);
  const messages: LevelBatch[] = [];
  const quoteBySequence = new Map<number, readonly number[]>();
  const messageBySequence = new Map<number, number>();
  for (const frame of session.frames) {
    const decoded = decoder.decode(frame);
    if (decoded.kind === "malformed") throw new Error(`malformed frame in the recording: ${decoded.reason}`);
    if (decoded.kind !== "event") continue;
    const { event } = decoded;
    if (event.kind === "quote") {
      const { sequence, bidTicks, bidLots, askTicks, askLots } = event;
      if (sequence !== null && bidLots !== null && askLots !== null) quoteBySequence.set(sequence, [bidTicks, bidLots, askTicks, askLots]);
    }
    if (event.kind !== "depth") continue;
    const verdict = sequencer.judge(event);
    if (verdict === "drop") continue;
    if (verdict !== "apply") throw new Error(`the recording breaks at ${event.firstSequence}: ${JSON.stringify(verdict)}`);
    messageBySequence.set(event.lastSequence, messages.length);
    messages.push(copyBatch(event.levels));
  }
  const quotes: QuoteAt[] = [];
  for (const [sequence, message] of messageBySequence) {
    const top = quoteBySequence.get(sequence);
    if (top !== undefined) quotes.push({ message, top });
  }
  return { session, snapshot: snapshotLevels(session), messages, quotes };
}

function snapshotLevels(session: DepthSession): LevelBatch {
  const decoded = session.adapter.createDecoder([session.instrument]).decodeSnapshot(session.instrument.symbol, session.snapshotBody);
  if (decoded.kind !== "event" || decoded.event.kind !== "snapshot") throw new Error(`the snapshot is ${JSON.stringify(decoded)}`);
  return copyBatch(decoded.event.levels);
}

function toNumbers(session: DepthSession, batch: LevelBatch): NumericLevels {
  const { tick, lot } = session.instrument;
  const tickScale = Math.round(1 / gridStep(tick));
  const lotScale = Math.round(1 / gridStep(lot));
  const level = (index: number): [number, number] => [
    (batch.priceTicks[index] as number) / tickScale,
    (batch.sizeLots[index] as number) / lotScale,
  ];
  const bids = Array.from({ length: batch.bidCount }, (_, index) => level(index));
  const asks = Array.from({ length: batch.askCount }, (_, index) => level(batch.bidCount + index));
  return { bids, asks };
}

/**
 * Our book behind the peers' interface. A decoder hands its levels over in one batch that it fills again for each message, so that is
 * the form our book takes here too: the filling is timed.
 */
function createOurs({ session, snapshot, messages }: BookWork): PeerBook {
  let book = new OrderBook();
  const tickScale = Math.round(1 / gridStep(session.instrument.tick));
  const lotScale = Math.round(1 / gridStep(session.instrument.lot));
  const lengths = messages.map(({ bidCount, askCount }) => bidCount + askCount);
  const starts = Uint32Array.from(lengths, startAfter());
  const bidCounts = Uint32Array.from(messages, ({ bidCount }) => bidCount);
  const priceTicks = Float64Array.from(messages.flatMap((message) => [...message.priceTicks]));
  const sizeLots = Float64Array.from(messages.flatMap((message) => [...message.sizeLots]));
  const room = Math.max(...lengths);
  const batch: LevelBatch = { bidCount: 0, askCount: 0, priceTicks: new Float64Array(room), sizeLots: new Float64Array(room) };
  return {
    start() {
      book = new OrderBook();
      book.replace(snapshot, session.adapter.snapshotLimits);
    },
    apply(from, to) {
      for (let index = from; index < to; index++) {
        const start = starts[index] as number;
        const length = (starts[index + 1] ?? priceTicks.length) - start;
        for (let at = 0; at < length; at++) {
          batch.priceTicks[at] = priceTicks[start + at] as number;
          batch.sizeLots[at] = sizeLots[start + at] as number;
        }
        batch.bidCount = bidCounts[index] as number;
        batch.askCount = length - batch.bidCount;
        book.apply(batch);
      }
    },
    levels(side) {
      const ladder = book[side];
      return Array.from({ length: ladder.levelCount }, (_, depth) => [ladder.ticksAt(depth) / tickScale, ladder.lotsAt(depth) / lotScale]);
    },
  };
}

/** Turns lengths into starts, one after another. */
function startAfter(): (length: number) => number {
  let next = 0;
  return (length) => {
    next += length;
    return next - length;
  };
}

function compareWithQuotes(
  { session, messages, quotes }: BookWork,
  snapshot: NumericLevels,
  book: PeerBook,
): { comparisons: number; mismatches: number } {
  book.start(snapshot);
  let applied = 0;
  let mismatches = 0;
  for (const { message, top } of quotes) {
    book.apply(applied, message + 1);
    applied = message + 1;
    const held = [...inUnits(session, book.levels("bids").slice(0, 1)), ...inUnits(session, book.levels("asks").slice(0, 1))];
    if (held.some((value, at) => value !== top[at])) mismatches++;
  }
  book.apply(applied, messages.length);
  return { comparisons: quotes.length, mismatches };
}

/** [price, size] pairs as ticks and lots, flat. */
function inUnits({ instrument }: DepthSession, levels: readonly (readonly [number, number])[]): number[] {
  const tick = gridStep(instrument.tick);
  const lot = gridStep(instrument.lot);
  return levels.flatMap(([price, size]) => [Math.round(price / tick), Math.round(size / lot)]);
}

/** The same content hash as OrderBook's, from any of the books. */
function hashOf(session: DepthSession, book: PeerBook): string {
  const hash = new ContentHash();
  for (const side of ["bids", "asks"] as const) {
    const units = inUnits(session, book.levels(side));
    hash.integer(units.length / 2);
    for (const unit of units) hash.integer(unit);
  }
  return hash.digest();
}
