/**
 * The feed of `bench forecast-http` and `forecast-cost`: in place of books a made-up row each second for whatever market is asked, each column around its training mean, the same
 * ones that peers/forecast_http.py makes. What the feed costs itself is the bench `feed`'s to say; here its object answers at once, as a warm one does.
 */

import { DurableObject } from "cloudflare:workers";
import { seededUniform } from "../seeded-numbers.ts";

interface StubEnv {
  /** JSON. */
  readonly FEATURES: string;
}

/** What rows are made of. */
interface StubFeatures {
  readonly fingerprint: string;
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}

/** As feed/contract.ts has it. */
interface WantedRows {
  readonly fingerprint: string;
  readonly rows: number;
}

const STEP_MS = 1_000;
/** Columns lie within two scales of their mean. */
const REACH = 2;
const SEED = 1;
const TABLE_ROWS = 1_024;
/** Between two markets' places in the table. */
const STRIDE = 131;
const TICK = { decimals: 2, mantissa: 1 };

export class MarketFeed extends DurableObject<StubEnv> {
  private readonly made: StubFeatures;
  /** [2 x TABLE_ROWS x columns], the same rows twice, from which every market's are taken: a feed has its rows, and doesn't make them when it is asked. */
  private readonly table: Float64Array;

  constructor(state: DurableObjectState, env: StubEnv) {
    super(state, env);
    this.made = JSON.parse(env.FEATURES) as StubFeatures;
    const once = Array.from({ length: TABLE_ROWS }, (_, row) => tableRow(this.made, row)).flat();
    this.table = Float64Array.from([...once, ...once]);
  }

  /** Cron comes by, and finds nothing to store. */
  status(): object {
    return { venue: "binance-spot", markets: [] };
  }

  pending(): object {
    return { minutes: [], gaps: [], remaining: 0 };
  }

  former(): readonly object[] {
    return [];
  }

  features(_feed: string, market: string, wanted: readonly WantedRows[] = []): object {
    const now = Date.now();
    const featureTime = now - (now % STEP_MS);
    const [venue = "", symbol = ""] = market.split(":");
    const bidTicks = bidTicksAt(market, featureTime);
    return {
      ok: true,
      market,
      instrument: { venue, symbol, tick: TICK, lot: TICK },
      now,
      receivedAt: now,
      rowAgeMs: now - featureTime,
      featureTime,
      marketTime: now,
      bidTicks,
      askTicks: bidTicks + 1,
      coverage: 1,
      proof: PROOF,
      sets: wanted.map(({ fingerprint, rows }) => ({
        fingerprint,
        columns: this.made.mean.length,
        rows: this.rowsUntil(market, featureTime, rows),
      })),
    };
  }

  /** [count x columns], copied as a feed copies them. */
  private rowsUntil(market: string, time: number, count: number): Float64Array {
    const columns = this.made.mean.length;
    const last = ((numberOf(market) * STRIDE + secondOf(time)) % TABLE_ROWS) + TABLE_ROWS;
    return this.table.slice((last - count + 1) * columns, (last + 1) * columns);
  }
}

function tableRow({ mean, scale }: StubFeatures, row: number): number[] {
  const first = row * mean.length;
  return mean.map((middle, column) => middle + REACH * seededUniform(SEED, first + column) * (scale[column] as number));
}

export default { fetch: () => new Response("a feed without a door", { status: 404 }) } satisfies ExportedHandler;

const PROOF = {
  lastSequence: 1,
  unbrokenSince: 0,
  continuity: "book",
  comparisons: 0,
  mismatches: 0,
  topLevels: null,
  audits: 0,
  lastAuditAt: null,
  gaps24h: 0,
};

/** "venue:M17" is 17. */
function numberOf(market: string): number {
  return Number(/(\d+)$/.exec(market)?.[1] ?? 0);
}

/** Within a day, so that seeds times columns stay small. */
function secondOf(time: number): number {
  return Math.floor(time / STEP_MS) % 86_400;
}

function bidTicksAt(market: string, time: number): number {
  return 1_000_000 + numberOf(market) * 100 + (secondOf(time) % 7);
}
