/**
 * What the desk is asked, what it answers, and what it asks in turn. Everything that it can't do itself arrives with each question, since a Worker may only use
 * what belongs to the request that it is serving.
 */

import type { MadeForecast } from "../../core/scoring/forecast-answer.ts";
import type { Skill } from "../../core/scoring/skill.ts";
import type { FeedConfiguration } from "../../feed/configuration.ts";
import type { FeatureMoment, FeatureView, Refusal, RowsRefusal, WantedRows } from "../../feed/contract.ts";
import type { ModelRefusal, ModelSlot, PredictAsk, Predicted, Prediction, Roster, Shadowed } from "../inference/contract.ts";

export interface DeskQuestion {
  readonly slot: ModelSlot;
  readonly market: string;
  /** Who carries the market. */
  readonly feed: Pick<FeedConfiguration, "feed" | "object">;
}

/** Of every model that was scored in a market lately. */
export type MarketSkills = readonly (Skill & {
  /** models.key */
  readonly model: number;
})[];

/** As the ledger takes it (workers/ledger/record.ts). */
export interface RecordedForecast extends MadeForecast {
  readonly market: string;
  /** models.key */
  readonly model: number;
  /** Our clock, epoch ms. */
  readonly recordedAt: number;
}

/** Calls that a request has made: the platform allows one a thousand. */
export interface CallCount {
  calls: number;
}

/** A model's word on a market at one grid time, shared by all who ask. */
export interface DeskAnswer {
  readonly ok: true;
  /** As the feed said it at `heardAt`: ages go on from there. */
  readonly moment: FeatureMoment;
  readonly prediction: Prediction;
  /** Of the feature set that the model reads. */
  readonly fingerprint: string;
  readonly skill: Skill;
  /** Our clock, epoch ms. */
  readonly heardAt: number;
}

export type DeskRefusal =
  | { readonly ok: false; readonly by: "feed"; readonly refusal: Refusal }
  | { readonly ok: false; readonly by: "rows"; readonly refusal: RowsRefusal }
  | { readonly ok: false; readonly by: "model"; readonly refusal: ModelRefusal };

export type DeskResult = DeskAnswer | DeskRefusal;

/** What the desk may use while it serves one request. */
export interface DeskPorts {
  /** Epoch ms. Stands still between two I/Os on the platform. */
  now(): number;
  after(ms: number): Promise<void>;
  /** Keeps the request alive until this is done, whatever becomes of its caller. */
  untilDone(work: Promise<unknown>): void;
  /** @throws FeedUnreachable */
  features(question: DeskQuestion, wanted: readonly WantedRows[]): Promise<FeatureView | Refusal>;
  /** @throws InferenceUnreachable */
  roster(): Promise<Roster>;
  predict(asks: readonly PredictAsk[]): Promise<Predicted>;
  shadows(asks: readonly PredictAsk[]): Promise<Shadowed>;
  record(forecasts: readonly RecordedForecast[]): Promise<unknown>;
  /** Over the last day. @returns of each market. */
  skills(markets: readonly string[]): Promise<readonly MarketSkills[]>;
  /** What went wrong and stops no answer. */
  report(event: string, error: unknown): void;
}
