/**
 * Where forecasts are asked for: of each market one computation a grid time and isolate, whoever asks, and one answer for all of them.
 *
 * An answer is kept for as long as no newer row can have come: a grid step less the row's age when the feed was asked. The first to ask after that computes, in its
 * own request and until it is done, whatever becomes of that caller; all others wait for it. Where the feed has no newer row no model is run. One that takes far too long is taken for dead: the next to come
 * computes anew, for those who wait already too. Refusals are kept a moment too, so that a market that can't be forecast costs little; what was thrown is not kept.
 *
 * Nobody waits for a shadow, nor for long for the skill: shadows are asked when the answer has gone, of each market one tick at a time.
 *
 * Clocks here are ours. What it refuses to do: guess, or give an answer of a grid time that a newer row has followed.
 */

import { FEATURE_INTERVAL_MS } from "../../core/features/contract.ts";
import type { Skill } from "../../core/scoring/skill.ts";
import type { FeatureMoment } from "../../feed/contract.ts";
import type { PredictAnswer, PredictAsk, Roster, ShadowAnswer } from "../inference/contract.ts";
import { type ComputedBefore, type ComputePorts, computeForecast } from "./compute.ts";
import type { DeskPorts, DeskQuestion, DeskResult, MarketSkills } from "./contract.ts";
import { Gatherer } from "./gatherer.ts";
import { MinuteKept } from "./minute-kept.ts";
import { ForecastRecorder, recordedOf } from "./recorder.ts";

/** Rows come when the market speaks: one that is late already may come at any moment. */
const LEAST_KEPT_MS = 50;
const REFUSAL_KEPT_MS = 250;
/** A cold start with a model to load takes a second; the platform lets a request that was answered go on for 30 s. */
const LOST_AFTER_MS = 10_000;
/** A cold isolate's first query takes some tens of ms; an answer is worth more than what is said beside it. */
const SKILL_WITHIN_MS = 300;
/** Markets in both slots: as many as a large instance carries. Beyond, those that were computed longest ago are computed again when they are asked for. */
const MAX_KEPT = 512;
/** A window of a hundred rows of v2 is some 110 kB on the way to the inference Worker, and 32 MB go in one call. */
const MAX_ASKS = 64;

interface Tick {
  startedAt: number;
  /** Ends with this tick's computation, or with that of the one that took its place. */
  readonly done: Promise<DeskResult>;
  readonly resolve: (result: DeskResult | Promise<DeskResult>) => void;
  readonly reject: (error: unknown) => void;
  /** Null while it is being computed. */
  result: DeskResult | null;
  /** Null where nothing was. */
  computed: ComputedBefore | null;
  keptUntil: number;
}

export class ForecastDesk {
  private readonly ticks = new Map<string, Tick>();
  private readonly rosters = new MinuteKept<Roster>(1);
  private readonly skills = new MinuteKept<MarketSkills>(MAX_KEPT);
  private readonly predictions = new Gatherer<PredictAsk, { revision: string; answer: PredictAnswer }>({
    most: MAX_ASKS,
    lostAfterMs: LOST_AFTER_MS,
  });
  private readonly skillQuestions = new Gatherer<string, MarketSkills>({ most: MAX_ASKS, lostAfterMs: LOST_AFTER_MS });
  private readonly shadowQuestions = new Gatherer<PredictAsk, readonly ShadowAnswer[]>({ most: MAX_ASKS, lostAfterMs: LOST_AFTER_MS });
  /** Where shadows are being asked, and since when. */
  private readonly shadowed = new Map<string, number>();
  private readonly recorder = new ForecastRecorder();

  /** @throws FeedUnreachable, InferenceUnreachable */
  async answer(question: DeskQuestion, ports: DeskPorts): Promise<DeskResult> {
    const now = ports.now();
    const tick = this.ticks.get(`${question.slot} ${question.market}`);
    if (tick?.result && now < tick.keptUntil) return tick.result;
    if (tick !== undefined && tick.result === null && now - tick.startedAt < LOST_AFTER_MS) return tick.done;
    return this.begin(question, ports, tick);
  }

  /** When an answer may have been followed by another one, epoch ms. */
  static freshUntil(result: DeskResult, heardAt: number): number {
    if (!result.ok) return heardAt + REFUSAL_KEPT_MS;
    const left = FEATURE_INTERVAL_MS - result.moment.rowAgeMs;
    return result.heardAt + Math.min(FEATURE_INTERVAL_MS, Math.max(LEAST_KEPT_MS, left));
  }

  /** @param before may be lost: then those who wait for it have this one's end, or that of the next where this one is lost too. */
  private begin(question: DeskQuestion, ports: DeskPorts, before: Tick | undefined): Promise<DeskResult> {
    const tick = newTick(ports.now(), before?.computed ?? null);
    const computed = this.compute(question, ports, tick);
    this.keep(`${question.slot} ${question.market}`, tick);
    before?.resolve(tick.done);
    const settled = computed.then(
      (result) => {
        tick.result = result;
        tick.keptUntil = ForecastDesk.freshUntil(result, ports.now());
        tick.resolve(result);
      },
      (error: unknown) => {
        // What was thrown is nobody's after this moment.
        tick.startedAt = Number.NEGATIVE_INFINITY;
        tick.reject(error);
      },
    );
    ports.untilDone(settled);
    return computed;
  }

  private keep(key: string, tick: Tick): void {
    this.ticks.delete(key);
    this.ticks.set(key, tick);
    const [oldest] = this.ticks.keys();
    if (this.ticks.size > MAX_KEPT && oldest !== undefined) this.ticks.delete(oldest);
  }

  private async compute(question: DeskQuestion, ports: DeskPorts, tick: Tick): Promise<DeskResult> {
    // Beside the forecast, not after it: a cold start waits for the slower of the two.
    const skills = this.skillsOf(question.market, ports);
    const computed = await computeForecast(question, this.computePorts(ports), tick.computed);
    if (!computed.ok) return computed;
    const { features, active, answer, shadowAsk, revision, heardAt } = computed;
    const { sets: _rows, ok: _ok, ...moment } = features;
    if (answer !== tick.computed?.answer) this.recorder.add(recordedOf(features, [answer.active], ports.now()), ports);
    if (shadowAsk !== null) this.askShadows(shadowAsk, moment, ports);
    tick.computed = { features: moment, answer, revision };
    if (!answer.active.ok) return { ok: false, by: "model", refusal: answer.active };
    const { key } = answer.active;
    const skill = (await skills).find(({ model }) => model === key) ?? UNKNOWN;
    return { ok: true, moment, prediction: answer.active, fingerprint: active.fingerprint, skill, heardAt };
  }

  /** Behind the answer. Where those of an earlier tick are still being asked, this one has none. */
  private askShadows(ask: PredictAsk, moment: FeatureMoment, ports: DeskPorts): void {
    const key = `${ask.slot} ${ask.market}`;
    const now = ports.now();
    if (now - (this.shadowed.get(key) ?? Number.NEGATIVE_INFINITY) < LOST_AFTER_MS) return;
    this.shadowed.set(key, now);
    const sender = {
      after: (ms: number) => ports.after(ms),
      send: async (asks: readonly PredictAsk[]) => (await ports.shadows(asks)).answers,
    };
    const done = this.shadowQuestions.ask(ask, sender).then(
      (shadows) =>
        this.recorder.add(
          recordedOf(
            moment,
            shadows.map(({ answer }) => answer),
            ports.now(),
          ),
          ports,
        ),
      (error: unknown) => ports.report("shadows-not-asked", error),
    );
    ports.untilDone(
      done.finally(() => {
        if (this.shadowed.get(key) === now) this.shadowed.delete(key);
      }),
    );
  }

  private computePorts(ports: DeskPorts): ComputePorts {
    const roster = (): Promise<Roster> =>
      this.rosters.get("", { now: ports.now(), untilDone: (work) => ports.untilDone(work) }, () => ports.roster());
    return {
      now: () => ports.now(),
      features: (question, wanted) => ports.features(question, wanted),
      roster,
      newerRoster: async (outdated) => {
        // Another question may have brought it already.
        const kept = await roster();
        if (kept.revision !== outdated) return kept;
        this.rosters.forget("");
        return roster();
      },
      predict: (ask) =>
        this.predictions.ask(ask, {
          after: (ms) => ports.after(ms),
          send: async (asks) => {
            const { revision, answers } = await ports.predict(asks);
            return answers.map((answer) => ({ revision, answer }));
          },
        }),
    };
  }

  /** A database that doesn't answer stops no forecast, nor does it hold one up. */
  private async skillsOf(market: string, ports: DeskPorts): Promise<MarketSkills> {
    const around = { now: ports.now(), untilDone: (work: Promise<unknown>) => ports.untilDone(work) };
    const sender = { after: (ms: number) => ports.after(ms), send: (markets: readonly string[]) => ports.skills(markets) };
    try {
      const found = this.skills.get(market, around, () => this.skillQuestions.ask(market, sender));
      return await Promise.race([found, ports.after(SKILL_WITHIN_MS).then((): MarketSkills => [])]);
    } catch (error) {
      ports.report("skill-unreadable", error);
      return [];
    }
  }
}

/** @param computed of the tick before: it may be of the same row. */
function newTick(startedAt: number, computed: ComputedBefore | null): Tick {
  // Other requests wait for it: workers/shared-promise.ts says why it is made so.
  const { promise: done, resolve, reject } = Promise.withResolvers<DeskResult>();
  // Whoever computes hears of a failure; it may be that nobody waits.
  done.catch(() => undefined);
  return { startedAt, done, resolve, reject, result: null, computed, keptUntil: 0 };
}

const UNKNOWN: Skill = { mark: "unknown", horizons: [], odds: [] };
