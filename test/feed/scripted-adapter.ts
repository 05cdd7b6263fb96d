/**
 * A venue made up for tests: what it numbers, whether its trade ids count up and how its books begin is said by the test, one JSON frame says one thing
 * or several. Its decoder owns its buffers as the real ones do and fills them again for each event, so whoever keeps one shows.
 *
 * A frame: `{"n":7,"e":[…]}`, `n` the connection's number where there is one. Each of `e` is of `s` and has a kind `k`: book and depth (`b`, `a`:
 * [ticks, lots] …, `q` its number where books are numbered), trade (`id`, `p`, `z`), quote (`b`, `a`: [ticks, lots or null]), top (`b`, `a`: the best levels, ten
 * a side at most), loss (`c`, `r`).
 * `{"e":{…}}` is a frame of one event; `{"k":"bad","s":…,"c":…}` one that can't be read; `{"k":"ok"}` and `{"k":"bye"}` are control, anything else is ignored.
 */

import { featureSetV1 } from "../../core/features/registry.ts";
import type { DepthEvent, LevelBatch, MarketEvent, QuoteEvent, SnapshotEvent, TradeEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { parseGrid } from "../../core/units/decimal.ts";
import type {
  BookSequencer,
  Channel,
  Decoded,
  Decoder,
  ExchangeAdapter,
  LossNotice,
  ResyncReason,
  Verdict,
} from "../../exchanges/contract.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";

export const START = Date.UTC(2026, 0, 5, 12, 0, 10);
export const STALE_AFTER = 30_000;

export type Level = readonly [ticks: number, lots: number];
type Top = readonly [ticks: number, lots: number | null];

export type Said =
  | {
      readonly k: "book" | "depth";
      readonly s: string;
      readonly t: number;
      readonly q?: number;
      readonly b: readonly Level[];
      readonly a: readonly Level[];
    }
  | { readonly k: "trade"; readonly s: string; readonly t: number; readonly id: number }
  | { readonly k: "quote"; readonly s: string; readonly t: number; readonly b: Top; readonly a: Top }
  | { readonly k: "top"; readonly s: string; readonly t: number; readonly b: readonly Level[]; readonly a: readonly Level[] }
  | { readonly k: "loss"; readonly s: string; readonly c: Channel; readonly r: ResyncReason };

export interface ScriptedOptions {
  readonly continuity?: ExchangeAdapter["continuity"];
  readonly tradeIds?: ExchangeAdapter["tradeIds"];
  readonly snapshots?: "request" | "subscription";
  readonly symbols?: readonly string[];
  readonly silenceMs?: number;
}

export function scriptedStream(options: ScriptedOptions = {}): FeedReducer {
  const { symbols = ["AAA"], silenceMs } = options;
  const noted = silenceMs === undefined ? {} : { silenceMs };
  const tick = parseGrid("0.01");
  const lot = parseGrid("0.001");
  if (tick === null || lot === null) throw new Error("the grids of the scripted venue are broken");
  const instruments = symbols.map((symbol): Instrument => ({ venue: "scripted", symbol, tick, lot }));
  return new FeedReducer({ adapter: scriptedAdapter(options), instruments, featureSet: featureSetV1, ...noted });
}

export function trackerOf(feed: FeedReducer, symbol = "AAA"): MarketTracker {
  const market = feed.markets.get(symbol);
  if (market === undefined) throw new Error(`the feed has no ${symbol}`);
  return market;
}

/** A frame of one event. */
export function one(said: Said, connectionSequence?: number): string {
  return JSON.stringify({ n: connectionSequence, e: said });
}

/** A frame of any number of events. */
export function several(said: readonly Said[], connectionSequence?: number): string {
  return JSON.stringify({ n: connectionSequence, e: said });
}

/** The whole book, as a small one by default: 10.00 to 10.02. */
export function book(at: number, levels: { s?: string; b?: readonly Level[]; a?: readonly Level[]; q?: number } = {}): Said {
  const { s = "AAA", b = [[1_000, 5]], a = [[1_002, 5]], q } = levels;
  return { k: "book", s, t: at, b, a, ...(q === undefined ? {} : { q }) };
}

export function depth(at: number, levels: { s?: string; b?: readonly Level[]; a?: readonly Level[]; q?: number } = {}): Said {
  const { s = "AAA", b = [], a = [], q } = levels;
  return { k: "depth", s, t: at, b, a, ...(q === undefined ? {} : { q }) };
}

export function trade(at: number, id: number, s = "AAA"): Said {
  return { k: "trade", s, t: at, id };
}

export function quote(at: number, b: Top, a: Top, s = "AAA"): Said {
  return { k: "quote", s, t: at, b, a };
}

/** The venue's own best levels. */
export function top(at: number, b: readonly Level[], a: readonly Level[], s = "AAA"): Said {
  return { k: "top", s, t: at, b, a };
}

export function scriptedAdapter({
  continuity = "none",
  tradeIds = "unordered",
  snapshots = "subscription",
}: ScriptedOptions): ExchangeAdapter {
  return {
    venue: "scripted",
    hosts: { stream: "wss://stream.test", rest: "https://rest.test" },
    fallbackHosts: [],
    limits: {
      symbolsPerConnection: 10,
      connectionLifetimeMs: 86_400_000,
      weightPerMinute: 60,
      dials: { most: 60, withinMs: 60_000 },
      frameIntervalMs: 0,
      usedWeightHeader: null,
    },
    snapshotLimits: [],
    staleAfterMs: STALE_AFTER,
    streamUrl: ({ stream }) => `${stream}/`,
    subscribe: () => [],
    resubscribe: (symbols, channel) => symbols.map((symbol) => `${channel} ${symbol}`),
    authenticate: null,
    snapshots:
      snapshots === "subscription"
        ? { kind: "subscription" }
        : { kind: "request", request: ({ rest }, symbol) => ({ url: `${rest}/${symbol}`, weight: 1 }) },
    keepAlive: null,
    continuity,
    tradeIds,
    instrumentsRequest: ({ rest }) => ({ url: rest, weight: 1 }),
    decodeInstruments: () => ({ instruments: [] }),
    createDecoder: () => new ScriptedDecoder(),
    createSequencer: () => new ScriptedSequencer(continuity),
  };
}

const CAPACITY = 64;

class ScriptedDecoder implements Decoder {
  connectionSequence: number | null = null;
  /** Messages of each book since its snapshot. */
  private readonly counts = new Map<string, number>();
  private readonly levels: LevelBatch = {
    bidCount: 0,
    askCount: 0,
    priceTicks: new Float64Array(CAPACITY),
    sizeLots: new Float64Array(CAPACITY),
  };
  private readonly depth: DepthEvent = {
    kind: "depth",
    symbol: "",
    venueTime: 0,
    firstSequence: 0,
    lastSequence: 0,
    previousSequence: null,
    levels: this.levels,
  };
  private readonly snapshot: SnapshotEvent = { kind: "snapshot", symbol: "", venueTime: null, lastSequence: 0, levels: this.levels };
  private readonly trade: TradeEvent = {
    kind: "trade",
    symbol: "",
    venueTime: 0,
    tradeId: 0,
    priceTicks: 1_000,
    sizeLots: 1,
    takerSide: "buy",
  };
  private readonly quote: QuoteEvent = {
    kind: "quote",
    symbol: "",
    venueTime: null,
    sequence: null,
    bidTicks: 0,
    bidLots: null,
    askTicks: 0,
    askLots: null,
  };

  decode(frame: string): Decoded {
    this.connectionSequence = null;
    const value = parse(frame);
    if (value === null) return { kind: "malformed", reason: "not JSON", symbol: null };
    this.connectionSequence = value.n ?? null;
    const { e } = value;
    if (e === undefined) return withoutEvents(value);
    if (!Array.isArray(e)) {
      const event = this.fill(e as Said);
      if (event.kind === "loss") throw new Error("a loss is said in a frame of several");
      return { kind: "event", event };
    }
    const said = e as Said[];
    let at = 0;
    return {
      kind: "events",
      next: () => {
        const next = said[at++];
        return next === undefined ? null : this.fill(next);
      },
    };
  }

  decodeSnapshot(_: string, body: string): Decoded {
    return this.decode(body);
  }

  reset(): void {
    this.counts.clear();
    this.connectionSequence = null;
  }

  memory(): string | null {
    return null;
  }

  recall(): boolean {
    return true;
  }

  private fill(said: Said): MarketEvent | LossNotice {
    switch (said.k) {
      case "book":
        this.fillLevels(said.b, said.a);
        this.counts.set(said.s, said.q ?? 0);
        return Object.assign(this.snapshot, { symbol: said.s, venueTime: said.t, lastSequence: said.q ?? 0 });
      case "depth": {
        this.fillLevels(said.b, said.a);
        const sequence = said.q ?? (this.counts.get(said.s) ?? 0) + 1;
        this.counts.set(said.s, sequence);
        return Object.assign(this.depth, { symbol: said.s, venueTime: said.t, firstSequence: sequence, lastSequence: sequence });
      }
      case "trade":
        return Object.assign(this.trade, { symbol: said.s, venueTime: said.t, tradeId: said.id });
      case "quote":
        return Object.assign(this.quote, {
          symbol: said.s,
          venueTime: said.t,
          bidTicks: said.b[0],
          bidLots: said.b[1],
          askTicks: said.a[0],
          askLots: said.a[1],
        });
      case "top":
        this.fillLevels(said.b, said.a);
        return { kind: "top-levels", symbol: said.s, venueTime: said.t, depth: 10, levels: this.levels };
      case "loss":
        return { kind: "loss", symbol: said.s, channel: said.c, reason: said.r, detail: `${said.c} said to be lost` };
    }
  }

  private fillLevels(bids: readonly Level[], asks: readonly Level[]): void {
    const { levels } = this;
    levels.priceTicks.fill(Number.NaN);
    levels.bidCount = bids.length;
    levels.askCount = asks.length;
    for (const [at, [ticks, lots]] of [...bids, ...asks].entries()) {
      levels.priceTicks[at] = ticks;
      levels.sizeLots[at] = lots;
    }
  }
}

/** Numbered books go on by one; of others every message goes on once there is a snapshot. */
class ScriptedSequencer implements BookSequencer {
  lastSequence: number | null = null;
  private readonly continuity: ExchangeAdapter["continuity"];

  constructor(continuity: ExchangeAdapter["continuity"]) {
    this.continuity = continuity;
  }

  get isSynced(): boolean {
    return this.lastSequence !== null;
  }

  judge({ firstSequence, lastSequence }: Pick<DepthEvent, "firstSequence" | "lastSequence">): Verdict {
    const last = this.lastSequence;
    if (last === null) return this.continuity === "book" ? "buffer" : "drop";
    if (this.continuity === "book" && lastSequence <= last) return "duplicate";
    if (this.continuity === "book" && firstSequence !== last + 1) return { resync: "sequence-gap" };
    this.lastSequence = lastSequence;
    return "apply";
  }

  judgeSnapshot(lastSequence: number): "apply" {
    this.lastSequence = lastSequence;
    return "apply";
  }

  reset(): void {
    this.lastSequence = null;
  }
}

interface Frame {
  readonly n?: number;
  readonly e?: unknown;
  readonly k?: string;
  readonly s?: string;
  readonly c?: Channel;
}

function parse(frame: string): Frame | null {
  try {
    return JSON.parse(frame) as Frame;
  } catch {
    return null;
  }
}

function withoutEvents({ k, s = "", c }: Frame): Decoded {
  if (k === "bad")
    return { kind: "malformed", reason: "said to be bad", symbol: s === "" ? null : s, ...(c === undefined ? {} : { channel: c }) };
  if (k === "ok") return { kind: "control", control: "acknowledged", detail: "" };
  if (k === "bye") return { kind: "control", control: "closing", detail: "" };
  return { kind: "ignored", reason: "nothing that is kept" };
}
