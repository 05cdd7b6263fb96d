/**
 * A forecast from the newest moment of a market and the model's moves. Pure.
 *
 * The model says by how many basis points bid, mid and ask move; the price is the present one moved by that much. Each target is moved on
 * its own: nothing here bends a bid below an ask, so that what is shown is what the model said.
 *
 * A horizon no longer than the row's age is for a time that has passed, and is left out: it would be a forecast of what is known.
 */

import type { LabelKind } from "../../../core/labels/moves.ts";
import { bpsOfTicks, ticksOfMove } from "../../../core/math/bps.ts";
import type { Skill } from "../../../core/scoring/skill.ts";
import type { FeatureMoment } from "../../../feed/contract.ts";
import type { ForecastTarget } from "../../../models/contract.ts";
import { hasOtherTick } from "../../../models/trained-ticks.ts";
import type { MovesPrediction, Prediction } from "../../inference/contract.ts";
import type { ForecastBody, ServedModelView, SkillView } from "../forecast-schemas.ts";
import { forecastPriceText } from "../prices.ts";
import { freshnessOf } from "./live.ts";

const BPS = 10_000;

export interface ForecastSaid {
  /** As of now. */
  readonly moment: FeatureMoment;
  readonly prediction: MovesPrediction;
  /** Of the feature set. */
  readonly fingerprint: string;
  readonly skill: Skill;
}

/**
 * @param horizonMs one horizon, or null for all.
 * @returns the horizons there are when the one asked for is not among them; those asked for when the time of each has passed.
 */
export function forecastBody(
  said: ForecastSaid,
  horizonMs: number | null,
): { forecast: ForecastBody } | { available: number[] } | { expired: number[] } {
  const { moment, prediction, fingerprint, skill } = said;
  const available = [...new Set(prediction.columns.map((column) => column.horizonMs))].sort((a, b) => a - b);
  const asked = horizonMs === null ? available : available.filter((horizon) => horizon === horizonMs);
  if (asked.length === 0) return { available };
  const { instrument, bidTicks, askTicks, featureTime, rowAgeMs } = moment;
  const horizons = asked.filter((horizon) => horizon > rowAgeMs);
  const expired = asked.filter((horizon) => horizon <= rowAgeMs);
  if (horizons.length === 0) return { expired };
  return {
    forecast: {
      market: moment.market,
      asOf: featureTime,
      present: {
        bid: forecastPriceText(bidTicks, instrument.tick),
        mid: forecastPriceText((bidTicks + askTicks) / 2, instrument.tick),
        ask: forecastPriceText(askTicks, instrument.tick),
      },
      horizons: horizons.map((horizon) => ({
        horizonMs: horizon,
        targetTime: featureTime + horizon,
        bid: forecastPrice(said, { target: "bid", horizonMs: horizon }),
        mid: forecastPrice(said, { target: "mid", horizonMs: horizon }),
        ask: forecastPrice(said, { target: "ask", horizonMs: horizon }),
        ...calibratedView(said, horizon),
      })),
      rowAgeMs,
      expired,
      model: servedModelView(prediction, moment),
      skill: skillView(skill, horizonMs === null ? null : { label: prediction.label, horizonMs }),
      fingerprint,
      coverage: moment.coverage,
      freshness: freshnessOf(moment),
      proof: moment.proof,
    },
  };
}

export function servedModelView(prediction: Prediction, { bidTicks, askTicks }: FeatureMoment): ServedModelView {
  const { modelId, version, sha256, source, label, trainedOn, trainedTicks } = prediction;
  const tickBps = bpsOfTicks(1, (bidTicks + askTicks) / 2);
  return { id: modelId, version, sha256, source, label, trainedOn, tickBps, otherTick: hasOtherTick(trainedTicks, tickBps) };
}

/** @param only of this horizon alone, where one is asked for: a model may know the next second, and nothing of the next minute. */
export function skillView({ mark, horizons, odds }: Skill, only: { label: LabelKind; horizonMs: number } | null): SkillView {
  if (only === null) return { mark, horizons: horizons.map((each) => ({ ...each })), odds: odds.map((each) => ({ ...each })) };
  const [own, said] = [horizons.find(isOf(only)), odds.find(isOf(only))];
  return { mark: own?.mark ?? "unknown", horizons: own === undefined ? [] : [{ ...own }], odds: said === undefined ? [] : [{ ...said }] };
}

/** Of a signal: it is made of the odds of one horizon, and so is its mark. */
export function signalSkillView(skill: Skill, only: { label: LabelKind; horizonMs: number }): SkillView {
  const own = skillView(skill, only);
  return { ...own, mark: own.odds[0]?.mark ?? "unknown" };
}

function isOf(only: { label: LabelKind; horizonMs: number }): (of: { label: LabelKind; horizonMs: number }) => boolean {
  return ({ label, horizonMs }) => label === only.label && horizonMs === only.horizonMs;
}

/** Null when the model has no such output. */
function forecastPrice(
  { moment, prediction }: ForecastSaid,
  output: { target: ForecastTarget; horizonMs: number },
): { price: string; moveBps: number; moveTicks: number } | null {
  const column = prediction.columns.findIndex(({ target, horizonMs }) => target === output.target && horizonMs === output.horizonMs);
  const moveBps = prediction.movesBps[column];
  if (moveBps === undefined) return null;
  return {
    price: movedPrice(moment, output.target, moveBps),
    moveBps,
    moveTicks: ticksOfMove(moveBps, presentTicks(moment, output.target)),
  };
}

/** Of the mid. */
function calibratedView(
  { moment, prediction }: ForecastSaid,
  horizonMs: number,
): Pick<ForecastBody["horizons"][number], "interval" | "odds"> {
  const said = prediction.calibrated?.find((each) => each.horizonMs === horizonMs);
  if (said === undefined) return { interval: null, odds: null };
  const { lowBps, highBps, down, flat, up, thresholdBps } = said;
  const interval = { low: movedPrice(moment, "mid", lowBps), high: movedPrice(moment, "mid", highBps), lowBps, highBps };
  return { interval, odds: { down, flat, up, thresholdBps } };
}

function movedPrice(moment: FeatureMoment, target: ForecastTarget, moveBps: number): string {
  return forecastPriceText(presentTicks(moment, target) * (1 + moveBps / BPS), moment.instrument.tick);
}

function presentTicks({ bidTicks, askTicks }: FeatureMoment, target: ForecastTarget): number {
  if (target === "mid") return (bidTicks + askTicks) / 2;
  return target === "bid" ? bidTicks : askTicks;
}
