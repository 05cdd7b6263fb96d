/**
 * A market that generates itself: an event-driven limit order book around a latent fair price, with the stylised facts of real ones.
 *
 * Arrivals and cancels after Cont, Stoikov, Talreja (2010), drawn by Gillespie's direct method (J. Phys. Chem. 81, 1977); a latent fair price
 * (latent-state.ts) and metaorders (taker-flow.ts) add drift, memory and clustering:
 * - limit orders arrive and are cancelled at the rates of event-rates.ts, one unit each;
 * - market orders come at a constant rate, of a side and size that TakerFlow chooses;
 * - once a second: units 11 to 40 ticks away are withdrawn with probability 0.1, a backstop of 50 stands 41 to 60 away, nothing beyond it.
 *
 * Invariants: never crossed, never empty; every size positive; the sequence of events depends on preset, seed and centre alone, not on how
 * `advance` was cut into calls. What a run did is told by `eventHash`. Nothing is allocated per event.
 * What it can't represent: resting orders of ours (it answers our market orders, `takeFromOutside`, and knows no other), queue positions, hidden orders, sessions, news.
 */

import { ContentHash } from "../math/hash.ts";
import { Random } from "../math/random.ts";
import type { Side, TakerSide } from "../units/side.ts";
import { EventRates } from "./event-rates.ts";
import { LatentState } from "./latent-state.ts";
import { ACTIVE_LEVELS, type MarketPreset, PRESETS, type PresetName } from "./presets.ts";
import { CENTRE_TICKS, HIGHEST_FAIR_TICKS, LOWEST_FAIR_TICKS, RestingBook } from "./resting-book.ts";
import { TakerFlow } from "./taker-flow.ts";

/** What hears of each event, in the order of time: begin, then levels and trades, then end, when the book is whole again. */
export interface MarketSink {
  /** @param timeMs whole milliseconds since the market's start. */
  begin(timeMs: number): void;
  /** The absolute size now resting at a price; 0 when the level is gone. */
  level(side: Side, priceTicks: number, units: number): void;
  /** One fill; told before the level that it changed. */
  trade(takerSide: TakerSide, priceTicks: number, units: number): void;
  end(): void;
}

export interface GenerativeMarketOptions {
  readonly preset: PresetName;
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** Where the market starts, in ticks; 20,000 unless told. */
  readonly centreTicks?: number;
}

const START_UNITS = 2;
/** Distances from the opposite best at which resting units decay, and from the own best at which the backstop stands. */
const DECAY_TO = 40;
const DECAY_PER_S = 0.1;
const BACKSTOP_FROM = 41;
const BACKSTOP_TO = 60;
const BACKSTOP_UNITS = 50;

export class GenerativeMarket {
  readonly book: RestingBook;
  private readonly preset: MarketPreset;
  private readonly random: Random;
  private readonly latent: LatentState;
  private readonly takers: TakerFlow;
  private readonly hash = new ContentHash();
  private readonly rates: EventRates;
  private events = 0;
  /** Seconds since the start, at the last event. */
  private time = 0;
  /** Seconds since the start that `advance` has come to. */
  private reached = 0;
  private nextEventAt = 0;
  private nextSecond = 1;
  private eventMs = 0;
  private sink: MarketSink = SILENT;

  constructor(options: GenerativeMarketOptions) {
    const centre = options.centreTicks ?? CENTRE_TICKS;
    if (!Number.isInteger(centre) || centre <= LOWEST_FAIR_TICKS || centre >= HIGHEST_FAIR_TICKS - 1) {
      throw new RangeError(`a market can't start at ${centre} ticks`);
    }
    this.preset = PRESETS[options.preset];
    this.random = new Random(options.seed);
    this.latent = new LatentState(this.preset, this.random, centre);
    this.takers = new TakerFlow(this.random, this.latent);
    this.book = new RestingBook(centre);
    this.rates = new EventRates(this.preset, this.book, this.latent);
    for (let away = 0; away < BACKSTOP_FROM; away++) {
      this.book.set("bid", centre - away, START_UNITS);
      this.book.set("ask", centre + 1 + away, START_UNITS);
    }
    this.tend("bid");
    this.tend("ask");
    this.schedule();
  }

  /** Whole milliseconds since the start, at the last event. */
  get timeMs(): number {
    return this.eventMs;
  }

  get eventCount(): number {
    return this.events;
  }

  /** Over every level change and trade so far, with their times: runs that agree in it are the same run. */
  get eventHash(): string {
    return this.hash.digest();
  }

  /** Lets every event before `untilMs` happen. */
  advance(untilMs: number, sink: MarketSink = SILENT): void {
    this.sink = sink;
    const until = untilMs / 1_000;
    for (;;) {
      const isEvent = this.nextEventAt < this.nextSecond;
      const at = isEvent ? this.nextEventAt : this.nextSecond;
      if (at >= until) break;
      this.latent.pass(at - this.time);
      this.time = at;
      this.begin();
      if (isEvent) this.happen();
      else this.passSecond();
      this.sink.end();
      this.schedule();
    }
    this.reached = Math.max(this.reached, until);
    this.sink = SILENT;
  }

  /**
   * A market order from outside, at the time that `advance` has come to: it takes what rests there, and the market answers it as it answers its
   * own takers. Part of the run from here on, in `eventHash` too.
   */
  takeFromOutside(takerSide: TakerSide, units: number, sink: MarketSink = SILENT): void {
    if (!Number.isInteger(units) || units < 1) throw new RangeError(`${units} units can't be taken`);
    this.sink = sink;
    this.latent.pass(this.reached - this.time);
    this.time = this.reached;
    this.begin();
    this.fill(takerSide === "buy" ? 1 : -1, units);
    this.sink.end();
    this.schedule();
    this.sink = SILENT;
  }

  private begin(): void {
    this.eventMs = Math.floor(this.time * 1_000);
    this.events++;
    this.hash.word(this.eventMs | 0);
    this.sink.begin(this.eventMs);
  }

  /** Draws when the next event is, from the book and the latent state of now. */
  private schedule(): void {
    this.rates.refresh();
    this.nextEventAt = this.time + this.random.exponential() / (this.rates.total * this.latent.activity);
  }

  /** Chooses one event in proportion to the rates, and lets it happen. */
  private happen(): void {
    const { rates } = this;
    let left = this.random.uniform() * rates.total - this.preset.takerRate;
    if (left < 0) this.take();
    else if (left < rates.bidLimit) this.arrive("bid", left / rates.bidLimit);
    else {
      left -= rates.bidLimit;
      if (left < rates.askLimit) this.arrive("ask", left / rates.askLimit);
      else {
        left -= rates.askLimit;
        if (left < rates.bidCancel) this.cancel("bid", left / rates.bidCancel);
        else this.cancel("ask", (left - rates.bidCancel) / rates.askCancel);
      }
    }
  }

  private take(): void {
    const sign = this.takers.nextSign(this.book.midTicks);
    this.fill(sign, this.takers.nextUnits());
  }

  private fill(sign: number, units: number): void {
    const { book } = this;
    const takerSide = sign > 0 ? "buy" : "sell";
    const side = sign > 0 ? "ask" : "bid";
    for (let left = units; left > 0; ) {
      const price = book.bestTicks(side);
      const resting = book.sizeAt(price);
      const filled = Math.min(left, resting);
      left -= filled;
      this.hash.word(price).word(sign * filled);
      this.sink.trade(takerSide, price, filled);
      this.setLevel(side, price, resting - filled);
    }
    this.latent.absorb(sign * units);
  }

  /** @param share where in the rates of that side the draw fell, on [0, 1). */
  private arrive(side: Side, share: number): void {
    const distance = this.rates.limitDistance(share);
    const price = side === "bid" ? this.book.bestAskTicks - distance : this.book.bestBidTicks + distance;
    this.setLevel(side, price, this.book.units(side, price) + 1);
  }

  private cancel(side: Side, share: number): void {
    const price = this.rates.cancelTicks(side, share);
    this.setLevel(side, price, this.book.sizeAt(price) - 1);
  }

  private passSecond(): void {
    this.nextSecond++;
    this.latent.stepActivity();
    this.tend("bid");
    this.tend("ask");
  }

  /** Keeps the far book: what is stale fades, the backstop stands, nothing is beyond it. */
  private tend(side: Side): void {
    const { book } = this;
    const step = side === "bid" ? -1 : 1;
    const opposite = side === "bid" ? book.bestAskTicks : book.bestBidTicks;
    const best = book.bestTicks(side);
    for (let distance = ACTIVE_LEVELS + 1; distance <= DECAY_TO; distance++) {
      const price = opposite + step * distance;
      const size = book.units(side, price);
      if (size > 0) this.fade(side, price, size);
    }
    for (let away = BACKSTOP_FROM; away <= BACKSTOP_TO; away++) {
      const price = best + step * away;
      if (book.units(side, price) !== BACKSTOP_UNITS) this.setLevel(side, price, BACKSTOP_UNITS);
    }
    const end = best + step * BACKSTOP_TO;
    const worst = side === "bid" ? book.lowestBidTicks : book.highestAskTicks;
    for (let price = worst; step * (price - end) > 0; price -= step) {
      if (book.sizeAt(price) > 0) this.setLevel(side, price, 0);
    }
    book.narrow(side, end);
  }

  private fade(side: Side, price: number, size: number): void {
    let gone = 0;
    for (let unit = 0; unit < size; unit++) if (this.random.uniform() < DECAY_PER_S) gone++;
    if (gone === 0 || (gone === size && price === this.book.bestTicks(side))) return;
    this.setLevel(side, price, size - gone);
  }

  private setLevel(side: Side, priceTicks: number, units: number): void {
    this.book.set(side, priceTicks, units);
    this.hash.word(side === "bid" ? priceTicks : -priceTicks).word(units);
    this.sink.level(side, priceTicks, units);
  }
}

const SILENT: MarketSink = { begin: nothing, level: nothing, trade: nothing, end: nothing };

function nothing(): void {}
