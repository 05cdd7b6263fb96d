/**
 * A stretch of a market replayed through the edge, as fast as it goes: the simulator's venue to the feed object, forecasts asked of the public Worker by HTTP and
 * answered by the inference Worker, cron each minute. All of it as deployed but for what brings time and frames: the simulated world has both.
 */

import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { marketId } from "../../core/market/instrument.ts";
import type { RecordSource } from "../../exchange-simulator/market/record-source.ts";
import { LATENCY_MS, SimulatedTime } from "../../exchange-simulator/simulated-time.ts";
import type { Protocol } from "../../exchange-simulator/venue.ts";
import { World } from "../../exchange-simulator/world.ts";
import { createApp } from "../../workers/api/app.ts";
import { runCron } from "../../workers/cron/run-cron.ts";
import type { PublicEnv } from "../../workers/env.ts";
import type { InferenceRpc } from "../../workers/inference/contract.ts";
import Inference from "../../workers/inference/main.ts";
import type { SimulatedFeed } from "./simulated-feed.ts";
import { setStage } from "./simulated-feed.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
const OBJECT = "main";
/** The desk may be asked at any moment of a second. */
const ASKED_AT_MS = 700;

export interface EdgeDayOptions {
  /** Filled once. */
  readonly source: RecordSource;
  /** The venue that tells of it. */
  readonly protocol: Protocol;
  readonly symbol: string;
  /** Which feature sets the feed computes. */
  readonly features: readonly string[];
  /** Longer silences of the book are in the ledger; none unless told. */
  readonly silenceMs?: number;
}

export class EdgeDay {
  readonly market: string;
  readonly publicEnv: PublicEnv;
  /** By featureTime, the first answer that came by HTTP: which horizons it left out. */
  readonly answered = new Map<number, readonly number[]>();
  /** Why the others were refused, by problem type: how often. */
  readonly refused = new Map<string, number>();
  private readonly world: World;
  private readonly time: SimulatedTime;
  private readonly app = createApp();
  private readonly alarms: Promise<void>[] = [];
  private readonly feed = env.SIMULATED_FEED.getByName(OBJECT) as unknown as DurableObjectStub<SimulatedFeed>;

  constructor({ source, protocol, symbol, ...configured }: EdgeDayOptions) {
    const { venue } = protocol;
    this.market = marketId(venue, symbol);
    this.world = new World({ sources: [source], venues: [{ protocol, listings: [[symbol, source.market.name]] }] });
    this.time = new SimulatedTime(this.world);
    const feeds = JSON.stringify([{ feed: OBJECT, venue, symbols: [symbol], ...configured }]);
    vi.spyOn(Date, "now").mockImplementation(() => this.time.now);
    hurryTimers();
    setStage({ time: this.time, feeds });
    this.publicEnv = {
      ...(env as unknown as PublicEnv),
      FEEDS: feeds,
      FEED: env.SIMULATED_FEED as unknown as DurableObjectNamespace,
      INFERENCE: inference(),
    };
  }

  get now(): number {
    return this.time.now;
  }

  /**
   * Lives so long. Forecasts are asked for at whole multiples of `askEveryMs`, cron runs at each minute's start, at the same moment in this order: what cron asks is then recorded
   * already.
   */
  async live(ms: number, { askEveryMs }: { askEveryMs: number }): Promise<void> {
    const end = this.now + ms;
    while (this.now < end) {
      const from = Math.floor((this.now - ASKED_AT_MS) / SECOND) * SECOND;
      const [ask, minute] = [askEveryMs, MINUTE].map((every) => Math.floor(from / every) * every + every) as [number, number];
      await this.advance(Math.min(ask, minute) + ASKED_AT_MS);
      if (ask <= minute) await this.ask();
      if (minute <= ask) await runCron(this.publicEnv, this.now);
    }
  }

  /** Rethrows what an alarm threw. */
  async end(): Promise<void> {
    await Promise.all(this.alarms);
  }

  /** The venue ends every connection, without a word. */
  async cut(): Promise<void> {
    await runInDurableObject(this.feed, () => {
      for (const link of this.world.links) link.terminate();
    });
  }

  async get(path: string): Promise<Response> {
    const context = createExecutionContext();
    const response = await this.app.fetch(new Request(`https://edgebook.test${path}`), this.publicEnv, context);
    await waitOnExecutionContext(context);
    return response;
  }

  private async ask(): Promise<void> {
    const response = await this.get(`/v1/markets/${this.market}/forecast`);
    const { asOf, expired = [], ...body }: { asOf?: number; expired?: readonly number[]; type?: string } = await response.json();
    if (response.ok && asOf !== undefined) this.answered.set(asOf, this.answered.get(asOf) ?? expired);
    else this.refused.set(body.type ?? "", (this.refused.get(body.type ?? "") ?? 0) + 1);
  }

  private async advance(until: number): Promise<void> {
    while ((await this.advanceInside(until)) === "starved") await this.world.fill();
  }

  /** The object's alarm rings by the simulated clock. It isn't waited for: it may be waiting for the venue's answer, which comes with time. */
  private advanceInside(until: number): Promise<"reached" | "starved"> {
    return runInDurableObject(this.feed, async (object, { storage }) => {
      while (this.now < until) {
        const alarm = (await storage.getAlarm()) ?? until;
        const reached = this.time.advanceTo(Math.min(until, Math.max(alarm, this.now + LATENCY_MS)));
        if (reached === "starved") return reached;
        if (reached === "ended") throw new Error("the world has ended");
        if (alarm <= this.now) this.alarms.push(object.alarm());
      }
      return "reached";
    });
  }
}

/** What waits for a moment, so that writes are gathered, would wait by a clock that stands still here: a day would take twelve minutes of it. Longer ones are bounds on what hangs. */
function hurryTimers(): void {
  const later = setTimeout.bind(globalThis);
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((act: () => void, ms = 0) =>
    later(act, ms <= SECOND ? 0 : ms)) as typeof setTimeout);
}

/** The Worker's own entry. */
function inference(): InferenceRpc {
  return new Inference(createExecutionContext(), { DB: env.DB, TAPES: env.TAPES });
}
