/** What surrounds the desk in tests: a clock turned by hand, a feed whose rows come when the clock says so, models that answer at once or when they are let. */

import type { FeatureView, Refusal, WantedRows } from "../../feed/contract.ts";
import type { DeskPorts, DeskQuestion, MarketSkills, RecordedForecast } from "../../workers/forecasts/contract.ts";
import type { ModelRefusal, PredictAsk, Prediction, Roster, RosterRole, ShadowAnswer } from "../../workers/inference/contract.ts";

export const START = Date.UTC(2026, 0, 5, 12);
export const BTC = "binance-spot:BTCUSDT";
export const ETH = "binance-spot:ETHUSDT";

/** Time passes in `advance` alone; what waits for it goes on in order. */
export class HandClock {
  time = START;
  private waiting: { readonly at: number; readonly wake: () => void }[] = [];

  after(ms: number): Promise<void> {
    return new Promise((wake) => {
      this.waiting.push({ at: this.time + ms, wake });
    });
  }

  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const next = this.waiting.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.waiting = this.waiting.filter((each) => each !== next);
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
    this.time = end;
    await settle();
  }
}

/** Lets everything that waits for nothing but promises go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

export function questionFor(market = BTC, slot: DeskQuestion["slot"] = "forecast"): DeskQuestion {
  return { slot, market, feed: { feed: "main", object: "main" } };
}

export function roleOf(key: number, change: Partial<RosterRole> = {}): RosterRole {
  return {
    ...{ key, id: `model${key}`, version: "1", slot: "forecast", market: "*", role: "active", source: "r2", family: "mlp" },
    ...{ fingerprint: "f1", featureSet: "v1", window: 1, label: "point", answer: "moves", fellBackFrom: null },
    ...change,
  } as RosterRole;
}

export class DeskWorld {
  readonly clock = new HandClock();
  roster: Roster = { revision: "r1", roles: [roleOf(1)], refused: [] };
  /** Of every market; null: a view is made. */
  refusal: Refusal | null = null;
  /** The last row's age when the feed is asked; undefined: rows come on the second by our clock. */
  rowAgeMs: number | undefined;
  missingSets: readonly string[] = [];
  /** Waited for before predictions come. */
  gate: Promise<unknown> = Promise.resolve();
  /** Waited for before shadows answer. */
  shadowGate: Promise<unknown> = Promise.resolve();
  feedFault: Error | null = null;
  recordFault: Error | null = null;
  skillsNow: () => Promise<MarketSkills> = async () => [];
  readonly asked = { features: [] as { market: string; wanted: readonly WantedRows[]; at: number }[], rosters: 0, skills: 0 };
  readonly predicted: (readonly PredictAsk[])[] = [];
  readonly shadowed: (readonly PredictAsk[])[] = [];
  readonly recorded: RecordedForecast[][] = [];
  readonly reports: string[] = [];
  readonly kept: Promise<unknown>[] = [];

  readonly ports: DeskPorts = {
    now: () => this.clock.time,
    after: (ms) => this.clock.after(ms),
    untilDone: (work) => void this.kept.push(work),
    features: async ({ market }, wanted) => {
      this.asked.features.push({ market, wanted, at: this.clock.time });
      if (this.feedFault !== null) throw this.feedFault;
      return this.refusal ?? this.viewOf(market, wanted);
    },
    roster: async () => {
      this.asked.rosters++;
      return this.roster;
    },
    predict: async (asks) => {
      this.predicted.push(asks);
      await this.gate;
      return { revision: this.roster.revision, answers: asks.map((ask) => ({ active: this.answerTo(ask) })) };
    },
    shadows: async (asks) => {
      this.shadowed.push(asks);
      await this.shadowGate;
      return { revision: this.roster.revision, answers: asks.map((ask) => this.shadowsOf(ask)) };
    },
    record: async (forecasts) => {
      if (this.recordFault !== null) throw this.recordFault;
      this.recorded.push([...forecasts]);
    },
    skills: async (markets) => {
      this.asked.skills++;
      return Promise.all(markets.map(() => this.skillsNow()));
    },
    report: (event) => void this.reports.push(event),
  };

  viewOf(market: string, wanted: readonly WantedRows[]): FeatureView {
    const { time } = this.clock;
    const rowAgeMs = this.rowAgeMs ?? time % 1_000;
    return {
      ok: true,
      market,
      instrument: { venue: "binance-spot", symbol: "BTCUSDT", tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 5, mantissa: 1 } },
      now: time,
      receivedAt: time - 10,
      rowAgeMs,
      featureTime: time - rowAgeMs,
      marketTime: time,
      bidTicks: 10_000,
      askTicks: 10_001,
      coverage: 1,
      proof: {
        ...{ lastSequence: 1, unbrokenSince: START, continuity: "book", comparisons: 0, mismatches: 0 },
        ...{ topLevels: null, audits: 0, lastAuditAt: null, gaps24h: 0 },
      },
      sets: wanted.map(({ fingerprint, rows }) =>
        this.missingSets.includes(fingerprint)
          ? { fingerprint, refusal: { reason: "not-computed", detail: `no ${fingerprint}` } }
          : { fingerprint, columns: 1, rows: new Float64Array(rows).fill(time) },
      ),
    };
  }

  private answerTo(ask: PredictAsk): Prediction | ModelRefusal {
    const active = this.playing(ask).find(({ role }) => role === "active");
    return active === undefined ? { ok: false, fault: "never-published", detail: "nobody" } : predictionBy(active);
  }

  private shadowsOf(ask: PredictAsk): ShadowAnswer[] {
    const shadows = this.playing(ask).filter(({ role }) => role === "shadow");
    return shadows.map((role) => ({ key: role.key, id: role.id, version: role.version, answer: predictionBy(role) }));
  }

  private playing({ slot, market }: PredictAsk): RosterRole[] {
    return this.roster.roles.filter((role) => role.slot === slot && (role.market === "*" || role.market === market));
  }
}

/** Each model says its key, in bps. */
export function predictionBy({ key, id, version, label, source }: RosterRole): Prediction {
  return {
    ...{
      ok: true,
      key,
      modelId: id,
      version,
      sha256: `sha${key}`,
      source,
      trainedOn: "made up",
      trainedTicks: null,
      label,
      fellBackFrom: null,
      kind: "moves",
    },
    columns: [
      { target: "mid", horizonMs: 1_000 },
      { target: "mid", horizonMs: 5_000 },
    ],
    movesBps: [key, -key],
    calibrated: null,
  } as Prediction;
}
