/**
 * Real captures, read and applied from their first frame to their last: nothing malformed, no gap, and the book's top equal to the
 * venue's own quote wherever both speak of the same update.
 */

import { describe, expect, it } from "vitest";
import { inferInstruments, type RecordedFrame, readRecording } from "../../bench/recording.ts";
import { OrderBook } from "../../core/book/order-book.ts";
import type { DepthEvent, QuoteEvent } from "../../core/market/event.ts";
import type { BookSequencer, Decoded, ExchangeAdapter } from "../../exchanges/contract.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";

/** One market of a replay: a book, and the quotes that wait for it to reach their update. */
class ReplayedMarket {
  readonly book = new OrderBook();
  readonly verdicts = new Map<string, number>();
  comparisons = 0;
  mismatches = 0;
  private readonly sequencer: BookSequencer;
  private readonly quotes = new Map<number, readonly (number | null)[]>();
  private readonly waiting: DepthEvent[] = [];

  constructor(sequencer: BookSequencer) {
    this.sequencer = sequencer;
  }

  onDepth(depth: DepthEvent): void {
    const verdict = this.sequencer.judge(depth);
    const name = typeof verdict === "string" ? verdict : verdict.resync;
    this.verdicts.set(name, (this.verdicts.get(name) ?? 0) + 1);
    if (verdict === "buffer") this.waiting.push(structuredClone(depth));
    if (verdict !== "apply") return;
    this.book.apply(depth.levels);
    this.compare();
  }

  onSnapshot(decoded: Decoded, limits: readonly number[]): void {
    if (decoded.kind !== "event" || decoded.event.kind !== "snapshot") throw new Error(`not a snapshot: ${JSON.stringify(decoded)}`);
    const first = this.waiting[0]?.firstSequence ?? null;
    if (this.sequencer.judgeSnapshot(decoded.event.lastSequence, first) !== "apply") throw new Error("the snapshot does not join");
    this.book.replace(decoded.event.levels, limits);
    for (const depth of this.waiting.splice(0)) this.onDepth(depth);
  }

  onQuote({ sequence, bidTicks, bidLots, askTicks, askLots }: QuoteEvent): void {
    if (sequence === null || bidLots === null || askLots === null) throw new Error("Binance numbers its quotes and gives their sizes");
    this.quotes.set(sequence, [bidTicks, bidLots, askTicks, askLots]);
    this.compare();
  }

  private compare(): void {
    const sequence = this.sequencer.lastSequence;
    const quote = sequence === null ? undefined : this.quotes.get(sequence);
    if (sequence === null || quote === undefined) return;
    this.quotes.delete(sequence);
    const { bids, asks } = this.book;
    const held = [bids.bestTicks, bids.bestLots, asks.bestTicks, asks.bestLots];
    this.comparisons++;
    if (held.some((value, at) => value !== quote[at])) this.mismatches++;
  }
}

interface Replay {
  readonly kinds: ReadonlyMap<string, number>;
  readonly markets: ReadonlyMap<string, ReplayedMarket>;
}

function replay(venue: string, recorded: readonly RecordedFrame[]): Replay {
  const adapter: ExchangeAdapter | null = findAdapter(venue);
  if (adapter === null) throw new Error(`no adapter for ${venue}`);
  const instruments = inferInstruments(venue, recorded);
  const decoder = adapter.createDecoder(instruments);
  const markets = new Map(instruments.map(({ symbol }) => [symbol, new ReplayedMarket(adapter.createSequencer())]));
  const kinds = new Map<string, number>();
  const count = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  for (const frame of recorded) {
    if (frame.kind === "snapshot") {
      const symbol = frame.symbol ?? instruments[0]?.symbol ?? "";
      markets.get(symbol)?.onSnapshot(decoder.decodeSnapshot(symbol, frame.text), adapter.snapshotLimits);
      continue;
    }
    const decoded = decoder.decode(frame.text);
    count(decoded.kind === "event" ? decoded.event.kind : decoded.kind);
    if (decoded.kind !== "event") continue;
    const { event } = decoded;
    if (event.kind === "depth") markets.get(event.symbol)?.onDepth(event);
    else if (event.kind === "quote") markets.get(event.symbol)?.onQuote(event);
  }
  return { kinds, markets };
}

function marketOf({ markets }: Replay, symbol: string): ReplayedMarket {
  const market = markets.get(symbol);
  if (market === undefined) throw new Error(`no ${symbol} in the recording`);
  return market;
}

const btcusdt = ["20240808", "20240809"].map((day) => recording(`wire/binance-spot-btcusdt-${day}.ndjson.gz`));
const perpetual = recording("wire/binance-cm-btcusd-perp-20240808.ndjson.gz");
const thinFrames = recording("wire/binance-spot-thin-2021-10-12.ws.txt.gz");
const thinAnswers = recording("wire/binance-spot-thin-2021-10-12.rest.txt.gz");

describe(`recorded sessions ${WITHOUT_RECORDINGS}`, () => {
  it.skipIf(btcusdt.includes(null))("BTCUSDT over midnight: two files, one unbroken book", () => {
    const session = replay(
      "binance-spot",
      btcusdt.flatMap((file) => readRecording(file ?? "")),
    );
    const market = marketOf(session, "BTCUSDT");
    expect([...session.kinds.keys()].toSorted()).toEqual(["depth", "quote", "trade"]);
    expect(session.kinds.get("depth")).toBe(6_495);
    expect(Object.fromEntries(market.verdicts)).toEqual({ buffer: 3, drop: 2, apply: 6_493 });
    expect(market.comparisons).toBeGreaterThan(1_000);
    expect(market.mismatches).toBe(0);
    expect(market.book.state).toBe("normal");
  });

  it.skipIf(perpetual === null)("BTCUSD_PERP by its pu chain", () => {
    const session = replay("binance-coin-m", readRecording(perpetual ?? ""));
    const market = marketOf(session, "BTCUSD_PERP");
    expect([...session.kinds.keys()].toSorted()).toEqual(["depth", "quote", "trade"]);
    expect([...market.verdicts.keys()].toSorted()).toEqual(["apply", "buffer", "drop"]);
    expect(market.comparisons).toBeGreaterThan(1_000);
    expect(market.mismatches).toBe(0);
  });

  it.skipIf(thinFrames === null || thinAnswers === null)("four thin pairs, whose snapshots came between their frames", () => {
    const recorded = [...readRecording(thinFrames ?? ""), ...readRecording(thinAnswers ?? "")];
    const session = replay(
      "binance-spot",
      recorded.toSorted((left, right) => left.receivedAt - right.receivedAt),
    );
    expect(session.kinds.get("malformed")).toBeUndefined();
    expect(session.kinds.get("kline")).toBeGreaterThan(0);
    expect(session.kinds.get("ignored")).toBeGreaterThan(0);
    let comparisons = 0;
    for (const [symbol, market] of session.markets) {
      expect([...market.verdicts.keys()], symbol).not.toContain("sequence-gap");
      expect(market.mismatches, symbol).toBe(0);
      comparisons += market.comparisons;
    }
    expect(comparisons).toBeGreaterThan(0);
  });
});
