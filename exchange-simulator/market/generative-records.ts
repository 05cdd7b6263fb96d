/**
 * The generative market as records: what `core/simulation` does, in ticks of 0.01 and lots of 0.001, a unit of the model being 100 lots.
 *
 * It has lived for WARM_UP_MS when `startTime` comes: those records are yielded too, so that the bars of the first minutes are there, and whoever
 * shows the market doesn't show them. Update and trade numbers start from the start time in ms: slower than a thousand a second, they are larger
 * in each later run than in the one before, as at a venue. A function of preset, seed and start time alone.
 */

import { GenerativeMarket, type MarketSink } from "../../core/simulation/generative-market.ts";
import type { PresetName } from "../../core/simulation/presets.ts";
import type { Side, TakerSide } from "../../core/units/side.ts";
import type { EventLevel, MarketRecord, TradeRecord } from "../../core/wire/market-events.ts";
import type { MarketDescription } from "./canonical-market.ts";
import { type RecordSource, sourceOf } from "./record-source.ts";

export interface GenerativeRecordsOptions {
  readonly name: string;
  readonly preset: PresetName;
  readonly seed: number;
  /** Epoch ms. */
  readonly startTime: number;
  /** Length behind the start; without end unless told. */
  readonly seconds?: number;
}

export const GENERATIVE_TICK = { decimals: 2, mantissa: 1 } as const;
export const GENERATIVE_LOT = { decimals: 3, mantissa: 1 } as const;
export const UNIT_LOTS = 100;
/** A new market isn't shown before it has lived this long: its first book is flat. */
export const WARM_UP_MS = 300_000;
/** Market time between two looks at what happened. */
const STEP_MS = 100;

export function generativeSource(options: GenerativeRecordsOptions): RecordSource {
  const { name, startTime, seconds } = options;
  const endTime = seconds === undefined ? null : startTime + seconds * 1_000;
  return sourceOf(generativeMarket(name), { startTime, endTime }, generativeRecords(options));
}

export function generativeMarket(name: string): MarketDescription {
  return { name, tick: GENERATIVE_TICK, lot: GENERATIVE_LOT };
}

function* generativeRecords({ preset, seed, startTime, seconds }: GenerativeRecordsOptions): Generator<MarketRecord> {
  const market = new GenerativeMarket({ preset, seed });
  const origin = startTime - WARM_UP_MS;
  const length = WARM_UP_MS + (seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1_000);
  const writer = new RecordWriter(origin);
  yield {
    kind: "snapshot",
    receivedAt: origin,
    venueTime: origin,
    sequence: origin,
    bids: levelsOf(market, "bid"),
    asks: levelsOf(market, "ask"),
  };
  for (let until = 0; until < length; ) {
    until = Math.min(length, until + STEP_MS);
    market.advance(until, writer);
    yield* writer.take();
  }
}

/** The events of the model as records: an event's trades first, then the levels that it changed. */
class RecordWriter implements MarketSink {
  private readonly origin: number;
  private time = 0;
  private updateId: number;
  private tradeId: number;
  private bids: EventLevel[] = [];
  private asks: EventLevel[] = [];
  private records: MarketRecord[] = [];

  constructor(origin: number) {
    this.origin = origin;
    this.updateId = origin;
    this.tradeId = origin;
  }

  take(): MarketRecord[] {
    const { records } = this;
    this.records = [];
    return records;
  }

  begin(timeMs: number): void {
    this.time = this.origin + timeMs;
  }

  level(side: Side, priceTicks: number, units: number): void {
    this.updateId++;
    (side === "bid" ? this.bids : this.asks).push([priceTicks, units * UNIT_LOTS]);
  }

  trade(takerSide: TakerSide, priceTicks: number, units: number): void {
    const tradeId = String(++this.tradeId);
    const { time } = this;
    const trade: TradeRecord = {
      kind: "trade",
      receivedAt: time,
      venueTime: time,
      tradeId,
      priceTicks,
      sizeLots: units * UNIT_LOTS,
      takerSide,
    };
    this.records.push(trade);
  }

  end(): void {
    const { time, updateId: sequence, bids, asks } = this;
    if (bids.length === 0 && asks.length === 0) return;
    this.records.push({ kind: "depth", receivedAt: time, venueTime: time, sequence, bids, asks });
    this.bids = [];
    this.asks = [];
  }
}

function levelsOf({ book }: GenerativeMarket, side: Side): EventLevel[] {
  const step = side === "bid" ? -1 : 1;
  const worst = side === "bid" ? book.lowestBidTicks : book.highestAskTicks;
  const levels: EventLevel[] = [];
  for (let price = book.bestTicks(side); step * (price - worst) <= 0; price += step) {
    if (book.units(side, price) > 0) levels.push([price, book.units(side, price) * UNIT_LOTS]);
  }
  return levels;
}
