/**
 * What was computed goes to the ledger: the active model's answer, and those of its shadows when they come. Half a second's forecasts are written by one call. The ledger keeps the
 * first of each market, model and grid time, so that isolates needn't know of each other. A write that fails is reported and given up: forecasts don't wait for it.
 */

import type { FeatureMoment } from "../../feed/contract.ts";
import type { ModelRefusal, Prediction } from "../inference/contract.ts";
import { answerOfClasses, answerOfMoves } from "../ledger/answer-of.ts";
import type { DeskPorts, RecordedForecast } from "./contract.ts";

const GATHERED_MS = 500;
/** What the ledger takes in one call. */
const MOST_PENDING = 2_000;
/** Far above what a write takes; its request was killed. */
const LOST_AFTER_MS = 10_000;

type RecorderPorts = Pick<DeskPorts, "now" | "after" | "untilDone" | "record" | "report">;

export class ForecastRecorder {
  private pending: RecordedForecast[] = [];
  private gathering: { readonly since: number } | null = null;

  /** Never throws. */
  add(forecasts: readonly RecordedForecast[], ports: RecorderPorts): void {
    if (forecasts.length === 0) return;
    if (this.pending.length + forecasts.length > MOST_PENDING) {
      ports.report("forecasts-not-recorded", new Error(`${MOST_PENDING} forecasts wait for the ledger already`));
      return;
    }
    this.pending.push(...forecasts);
    const now = ports.now();
    if (this.gathering !== null && now - this.gathering.since < LOST_AFTER_MS) return;
    const gathering = { since: now };
    this.gathering = gathering;
    ports.untilDone(ports.after(GATHERED_MS).then(() => this.write(gathering, ports)));
  }

  private async write(gathering: { readonly since: number }, ports: RecorderPorts): Promise<void> {
    if (this.gathering === gathering) this.gathering = null;
    const forecasts = this.pending;
    this.pending = [];
    await recordAll(forecasts, ports);
  }
}

/** Never throws. */
export async function recordAll(forecasts: readonly RecordedForecast[], ports: Pick<DeskPorts, "record" | "report">): Promise<void> {
  if (forecasts.length === 0) return;
  try {
    await ports.record(forecasts);
  } catch (error) {
    ports.report("forecasts-not-recorded", error);
  }
}

/** What of answers to one row is kept: of each model that gave one that can be scored, the horizons that are served. One that the row has outlived would be a forecast of what is known. */
export function recordedOf(moment: FeatureMoment, answers: readonly (Prediction | ModelRefusal)[], recordedAt: number): RecordedForecast[] {
  const { market, featureTime, bidTicks, askTicks, rowAgeMs } = moment;
  return answers.flatMap((prediction) => {
    if (!prediction.ok) return [];
    const { label = null, horizons = [] } = answerOf(prediction) ?? {};
    const ahead = horizons.filter(({ horizonMs }) => horizonMs > rowAgeMs);
    if (label === null || ahead.length === 0) return [];
    return [{ market, model: prediction.key, featureTime, bidTicks, askTicks, answer: { label, horizons: ahead }, recordedAt }];
  });
}

function answerOf(prediction: Prediction): RecordedForecast["answer"] | null {
  return prediction.kind === "moves" ? answerOfMoves(prediction) : answerOfClasses(prediction);
}
