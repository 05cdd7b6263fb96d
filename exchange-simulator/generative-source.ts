/**
 * Generated markets as a live venue. Speed 1 follows the wall clock, N runs N times as fast, 0 as fast as the sockets take it.
 *
 * At speed 0 the markets wait for the first subscriber, so that nothing is missed; otherwise they live from the start. A host that slept longer than
 * a minute finds the calendar moved on by whole minutes: the markets don't live through it.
 */

import type { PresetName } from "../core/simulation/presets.ts";
import { MS_PER_MINUTE } from "../core/units/time.ts";
import type { MarketGrids } from "./frame-text.ts";
import { GenerativeSymbol, type StreamKind, type SymbolListener } from "./generative-symbol.ts";
import type { Hub } from "./hub.ts";
import type { Bar } from "./minute-bars.ts";
import type { DepthAnswer, MarketSource } from "./source.ts";
import { streamName } from "./stream-names.ts";

export interface GenerativeOptions {
  readonly kind: "generative";
  readonly markets: number;
  /** "both" takes turns, large-tick first. */
  readonly preset: PresetName | "both";
  /** Of the first market; the next ones take the numbers after it. */
  readonly seed: number;
  readonly speed: number;
  /** Length of a depth batch. */
  readonly intervalMs: number;
  /** Epoch ms of the first message; now unless told. */
  readonly startTime?: number;
  /** Simulated time after which nothing more is told; without end unless told. */
  readonly seconds?: number;
}

const TICK_MS = 10;
const LONGEST_SLEEP_MS = MS_PER_MINUTE;
/** Simulated time between two looks at the sockets, at speed 0. */
const UNBOUNDED_STEP_MS = 100;

export class GenerativeSource implements MarketSource {
  readonly gridsAre = "declared";
  readonly markets: ReadonlyMap<string, MarketGrids>;
  private readonly options: GenerativeOptions;
  private readonly symbols: ReadonlyMap<string, GenerativeSymbol>;
  private readonly startTime: number;
  private readonly endTime: number;
  private simulated: number;
  private isStopped = false;
  private frames = 0;
  /** Making the markets takes a while: the simulated clock starts before it, so that it is no later than the wall's. */
  private readonly begunAt = performance.now();

  constructor(options: GenerativeOptions) {
    this.options = options;
    this.startTime = options.startTime ?? Date.now();
    this.endTime = this.startTime + (options.seconds ?? Number.POSITIVE_INFINITY) * 1_000;
    this.simulated = this.startTime;
    const { markets, seed, intervalMs } = options;
    if (!Number.isInteger(markets) || markets < 1 || markets > 1_000) throw new RangeError(`${markets} markets: 1 to 1,000 can be had`);
    const symbols = Array.from({ length: markets }, (_, index) => {
      const preset = presetOf(options.preset, index);
      return new GenerativeSymbol({ symbol: symbolOf(options, index), preset, seed: seed + index, startTime: this.startTime, intervalMs });
    });
    this.symbols = new Map(symbols.map((symbol) => [symbol.grids.symbol, symbol]));
    this.markets = new Map(symbols.map((symbol) => [symbol.grids.symbol, symbol.grids]));
  }

  get venueTime(): number {
    return this.simulated;
  }

  depth(symbol: string, limit: number): DepthAnswer {
    const market = this.symbols.get(symbol);
    return market === undefined ? { unavailable: "unknown symbol" } : { body: market.depthBody(limit) };
  }

  depthDelivered(): void {}

  bars(symbol: string): readonly Bar[] {
    return this.symbols.get(symbol)?.bars.all ?? [];
  }

  async run(hub: Hub): Promise<void> {
    const listeners = [...this.symbols.values()].map((symbol) => [symbol, this.listenerOf(symbol, hub)] as const);
    const advance = (until: number) => {
      this.simulated = Math.min(until, this.endTime);
      for (const [symbol, listener] of listeners) symbol.advanceTo(this.simulated, listener);
    };
    if (this.options.speed > 0) await this.followClock(advance);
    else await this.runUnbounded(hub, advance);
  }

  stop(): void {
    this.isStopped = true;
  }

  status(): Readonly<Record<string, unknown>> {
    const { speed, intervalMs, seed } = this.options;
    return {
      source: "generative",
      speed,
      intervalMs,
      seed,
      simulatedMs: this.simulated - this.startTime,
      frames: this.frames,
      done: this.simulated >= this.endTime,
      markets: [...this.symbols].map(([symbol, market]) => ({ symbol, eventHash: market.eventHash })),
    };
  }

  private async followClock(advance: (until: number) => void): Promise<void> {
    let last = performance.now();
    // Before anybody listens: what passed while the markets were made.
    advance(this.simulated + (last - this.begunAt) * this.options.speed);
    while (!this.isStopped && this.simulated < this.endTime) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      const now = performance.now();
      const passed = now - last;
      last = now;
      if (passed > LONGEST_SLEEP_MS) this.skip(passed * this.options.speed);
      else advance(this.simulated + passed * this.options.speed);
    }
  }

  private skip(simulatedMs: number): void {
    const minutes = Math.floor(simulatedMs / MS_PER_MINUTE);
    for (const symbol of this.symbols.values()) symbol.skipMinutes(minutes);
    this.simulated += minutes * MS_PER_MINUTE;
  }

  private async runUnbounded(hub: Hub, advance: (until: number) => void): Promise<void> {
    await hub.subscribed();
    while (!this.isStopped && this.simulated < this.endTime) {
      advance(this.simulated + UNBOUNDED_STEP_MS);
      if (hub.isCongested) await hub.drained();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private listenerOf(symbol: GenerativeSymbol, hub: Hub): SymbolListener {
    const nameOf = (kind: StreamKind) => streamName(symbol.grids.symbol, kind);
    const names = { depth: nameOf("depth"), quote: nameOf("quote"), trade: nameOf("trade"), kline: nameOf("kline") };
    return {
      wants: (kind) => hub.hasSubscriber(names[kind]),
      hear: (kind, data) => {
        this.frames++;
        hub.publish(names[kind], data);
      },
    };
  }
}

function presetOf(preset: PresetName | "both", index: number): PresetName {
  if (preset !== "both") return preset;
  return index % 2 === 0 ? "large-tick" : "small-tick";
}

/** The first of each preset has its name, the others are numbered. */
function symbolOf(options: GenerativeOptions, index: number): string {
  const isNamed = index === 0 || (index === 1 && options.preset === "both");
  if (isNamed) return presetOf(options.preset, index) === "large-tick" ? "LARGEUSDT" : "SMALLUSDT";
  return `SIM${String(index + 1).padStart(3, "0")}USDT`;
}
