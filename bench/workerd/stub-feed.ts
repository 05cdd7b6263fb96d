/**
 * The feed of `bench forecast-http`: in place of books a made-up row each second for whatever market is asked, each column around its training mean, the same
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
const TICK = { decimals: 2, mantissa: 1 };

export class MarketFeed extends DurableObject<StubEnv> {
  private readonly made: StubFeatures;
  /** Of each market the newest rows: the feed has them, and doesn't make them when it is asked. */
  private readonly windows = new Map<string, { time: number; rows: number[][] }>();

  constructor(state: DurableObjectState, env: StubEnv) {
    super(state, env);
    this.made = JSON.parse(env.FEATURES) as StubFeatures;
  }

  features(_feed: string, market: string, wanted: readonly WantedRows[] = []): object {
    const now = Date.now();
    const featureTime = now - (now % STEP_MS);
    const [venue = "", symbol = ""] = market.split(":");
    const bidTicks = bidTicksAt(market, featureTime);
    const rows = this.rowsUntil(market, featureTime, Math.max(1, ...wanted.map((set) => set.rows)));
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
      sets: wanted.map((set) => ({ fingerprint: set.fingerprint, rows: rows.slice(-set.rows) })),
      fingerprint: this.made.fingerprint,
      row: rows.at(-1),
    };
  }

  private rowsUntil(market: string, time: number, count: number): number[][] {
    const window = this.windows.get(market) ?? { time: 0, rows: [] };
    if (window.rows.length < count || time - window.time > STEP_MS) {
      window.rows = Array.from({ length: count }, (_, back) => this.rowAt(market, time - (count - 1 - back) * STEP_MS));
    } else if (window.time < time) {
      window.rows = [...window.rows.slice(1), this.rowAt(market, time)];
    }
    window.time = time;
    this.windows.set(market, window);
    return window.rows.slice(-count);
  }

  private rowAt(market: string, time: number): number[] {
    const { mean, scale } = this.made;
    const first = secondOf(time) * mean.length;
    return mean.map((middle, column) => middle + REACH * seededUniform(numberOf(market), first + column) * (scale[column] as number));
  }
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
