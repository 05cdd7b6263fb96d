/** BUY, SELL or WAIT as the API shows it: from a book, or from what a model says of the next move. Pure. */

import type { LabelKind } from "../../../core/labels/moves.ts";
import type { Skill } from "../../../core/scoring/skill.ts";
import { CLASSIC_LEVELS, classicNeuralSignal, classicSimpleSignal, classicVolumes } from "../../../core/signals/classic.ts";
import { neuralSignal } from "../../../core/signals/neural.ts";
import type { Signal } from "../../../core/signals/signal.ts";
import { simpleSignal } from "../../../core/signals/simple.ts";
import type { BookView, FeatureMoment } from "../../../feed/contract.ts";
import type { Prediction } from "../../inference/contract.ts";
import type { SignalBody, SkillView } from "../forecast-schemas.ts";
import { servedModelView, signalSkillView } from "./forecast.ts";
import { freshnessOf } from "./live.ts";

export interface SignalOptions {
  readonly threshold: number;
  readonly isClassic: boolean;
}

/** @returns null where a side is empty, or, of the classic definition, shorter than the fifty levels that it takes. */
export function simpleSignalBody(book: BookView, { levels, threshold, isClassic }: SignalOptions & { levels: number }): SignalBody | null {
  const sides = { bids: book.bids.map(([, lots]) => lots), asks: book.asks.map(([, lots]) => lots) };
  const counted = isClassic ? CLASSIC_LEVELS : levels;
  const said = isClassic ? classicOf(sides, threshold) : simpleSignal(sides, { levels, threshold });
  if (said === null) return null;
  return {
    market: book.market,
    kind: "simple",
    definition: isClassic ? "classic" : "edgebook",
    ...said,
    threshold,
    levels: { bid: Math.min(counted, sides.bids.length), ask: Math.min(counted, sides.asks.length) },
    model: null,
    freshness: freshnessOf(book),
    proof: book.proof,
  };
}

function classicOf(sides: { bids: number[]; asks: number[] }, threshold: number): { pressure: number; signal: Signal } | null {
  const volumes = classicVolumes(sides);
  const said = volumes === null ? null : classicSimpleSignal(volumes, threshold);
  return said === null ? null : { pressure: -said.indicator, signal: said.signal };
}

export interface SignalSaid {
  readonly moment: FeatureMoment;
  readonly prediction: Prediction;
  readonly skill: Skill;
}

interface Odds {
  readonly asks: "move" | "next-change";
  readonly horizonMs: number;
  readonly down: number;
  readonly up: number;
}

/** @returns why there is none: the model gives no probabilities, or the time that they are of has passed. */
export function neuralSignalBody(
  { moment, prediction, skill }: SignalSaid,
  { threshold, isClassic }: SignalOptions,
): { signal: SignalBody } | "no-probabilities" | { expired: number } {
  const odds = oddsOf(prediction);
  if (odds === null) return "no-probabilities";
  if (odds.horizonMs <= moment.rowAgeMs) return { expired: odds.horizonMs };
  const { down, up } = odds;
  const own = neuralSignal({ labels: ["down", "up"], probabilities: [down, up] }, threshold);
  const classic = classicNeuralSignal([down, up], threshold);
  return {
    signal: {
      market: moment.market,
      kind: "neural",
      definition: isClassic ? "classic" : "edgebook",
      ...(isClassic ? { pressure: -classic.indicator, signal: classic.signal } : own),
      threshold,
      levels: null,
      model: {
        ...servedModelView(prediction, moment),
        ...odds,
        asOf: moment.featureTime,
        rowAgeMs: moment.rowAgeMs,
        skill: skillOfOdds(skill, odds, prediction.label),
      },
      freshness: freshnessOf(moment),
      proof: moment.proof,
    },
  };
}

/** The ledger scores which way the mid goes within a horizon, and nothing of its next change. */
function skillOfOdds(skill: Skill, { asks, horizonMs }: Odds, label: LabelKind): SkillView {
  return asks === "move" ? signalSkillView(skill, { label, horizonMs }) : { mark: "unknown", horizons: [], odds: [] };
}

/** Of the mid, at the shortest horizon: of a model of classes its own, of one of moves what its calibration says. */
function oddsOf(prediction: Prediction): Odds | null {
  if (prediction.kind === "moves") {
    const [said] = prediction.calibrated ?? [];
    return said === undefined ? null : { asks: "move", horizonMs: said.horizonMs, down: said.down, up: said.up };
  }
  const groups = prediction.groups.flatMap(({ asks, target, horizonMs, labels, probabilities }): Odds[] => {
    const [down, up] = [probabilities[labels.indexOf("down")], probabilities[labels.indexOf("up")]];
    return target !== "mid" || down === undefined || up === undefined ? [] : [{ asks, horizonMs, down, up }];
  });
  return groups.sort((one, other) => one.horizonMs - other.horizonMs)[0] ?? null;
}
