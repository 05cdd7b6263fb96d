/**
 * What the inference Worker offers over RPC: plain data in and out.
 *
 * A role says which model answers in which slot for which market. Rows go in as the feed made them: each set by its fingerprint, oldest row first;
 * a model takes the set it was trained on, and of its rows the newest, as many as its window. No ask throws for what lies in it: it is a refusal.
 */

import type { CalibratedForecast } from "../../core/calibration/by-bins.ts";
import type { LabelKind } from "../../core/labels/moves.ts";
import type { AnswerKind, ClassGroup, ModelManifest, OutputColumn } from "../../models/contract.ts";
import type { ModelRole, ModelSlot } from "../../models/roles.ts";
import type { TrainedTicks } from "../../models/trained-ticks.ts";

export { EVERY_MARKET, MAX_SHADOWS, MODEL_SLOTS, type ModelRole, type ModelSlot, SHIPPED_KEY } from "../../models/roles.ts";

export type ModelFault =
  /** How a new deployment begins: no model has the role. */
  | "never-published"
  /** Files that a role names are not there. */
  | "not-found"
  /** The database or the bucket failed: nothing is known of what was published. */
  | "store-unreachable"
  | "too-large"
  | "bad-manifest"
  | "hash-mismatch"
  /** The features it was trained on aren't computed here, or its rows weren't given. */
  | "fingerprint-mismatch"
  | "shape-mismatch"
  | "golden-mismatch"
  | "not-loadable"
  /** The model answered what is no number. */
  | "bad-output"
  /** The model is whole, and answers something else than its slot asks for. */
  | "not-a-forecast"
  /** Fewer rows were given than the model eats. */
  | "needs-a-window";

export interface ModelRefusal {
  readonly ok: false;
  readonly fault: ModelFault;
  readonly detail: string;
}

/** A version of a model, by its name and by what the ledger calls it. */
export interface ModelIdentity {
  /** `models.key`; 0 is the shipped one. */
  readonly key: number;
  readonly id: string;
  readonly version: string;
}

export type ModelSource = "r2" | "shipped";

/** What should have been served, and why it isn't; `model` is null where nothing was published or nothing is known of it. */
export interface FellBack {
  readonly fault: ModelFault;
  readonly detail: string;
  readonly model: ModelIdentity | null;
}

/** Who answers in which role, and what it must be given. */
export interface RosterRole extends ModelIdentity {
  readonly slot: ModelSlot;
  /** `venue:SYMBOL`, or EVERY_MARKET. */
  readonly market: string;
  readonly role: ModelRole;
  readonly source: ModelSource;
  readonly family: string;
  /** Of the feature set that it eats rows of, and the set's name. */
  readonly fingerprint: string;
  readonly featureSet: string;
  /** Rows of it, the newest the last. */
  readonly window: number;
  readonly label: LabelKind;
  readonly answer: AnswerKind;
  /** Not null where the shipped model stands in for another one. */
  readonly fellBackFrom: FellBack | null;
}

/** A role whose model can't be served, and nothing stands in: a shadow, a signal's model, or all of them where the shipped model is faulty too. */
export interface RefusedRole extends ModelIdentity {
  readonly slot: ModelSlot;
  readonly market: string;
  readonly role: ModelRole;
  readonly fault: ModelFault;
  readonly detail: string;
}

export interface Roster {
  /** Another text whenever another model answers somewhere. */
  readonly revision: string;
  readonly roles: readonly RosterRole[];
  readonly refused: readonly RefusedRole[];
}

/** A manifest without its statistics and golden vectors. */
export type ModelClaims = Omit<ModelManifest, "normaliser" | "golden">;

/** A model that has a role. */
export interface ModelView {
  readonly key: number;
  readonly source: ModelSource;
  readonly manifest: ModelClaims;
}

/** Newest rows of one feature set. */
export interface RowSet {
  readonly fingerprint: string;
  readonly columns: number;
  /** [rows x columns], raw, oldest first, a grid step apart. */
  readonly rows: Float64Array;
}

export interface PredictAsk {
  readonly market: string;
  readonly slot: ModelSlot;
  /** One of each fingerprint; those that the models of this market eat. */
  readonly sets: readonly RowSet[];
}

interface PredictionBasis {
  readonly ok: true;
  /** `models.key`. */
  readonly key: number;
  readonly modelId: string;
  readonly version: string;
  readonly sha256: string;
  readonly source: ModelSource;
  /** What the model was trained on, in words: another market than the one that is asked about, most likely. */
  readonly trainedOn: string;
  /** What a tick was there; null: the manifest doesn't say. */
  readonly trainedTicks: TrainedTicks | null;
  readonly label: LabelKind;
  /** Not null where the shipped model stands in for another one. */
  readonly fellBackFrom: FellBack | null;
}

/** What the manifest's calibration says of the mid's move over one horizon. */
export interface CalibratedHorizon extends CalibratedForecast {
  readonly horizonMs: number;
}

export interface MovesPrediction extends PredictionBasis {
  readonly kind: "moves";
  readonly columns: readonly OutputColumn[];
  /** [columns] basis points of each target's own present price. */
  readonly movesBps: readonly number[];
  /** Null: the model was never calibrated. */
  readonly calibrated: readonly CalibratedHorizon[] | null;
}

export interface ClassesPrediction extends PredictionBasis {
  readonly kind: "classes";
  readonly groups: readonly (ClassGroup & {
    /** [labels], adding up to 1. */
    readonly probabilities: readonly number[];
  })[];
}

export type Prediction = MovesPrediction | ClassesPrediction;

/** What a shadow answered: to be recorded, and given to nobody. */
export type ShadowAnswer = ModelIdentity & { readonly answer: Prediction | ModelRefusal };

export interface PredictAnswer {
  readonly active: Prediction | ModelRefusal;
}

export interface Predicted {
  /** Of the roster that answered: where it isn't the one that the rows were chosen by, that one is out of date. */
  readonly revision: string;
  /** [asks] */
  readonly answers: readonly PredictAnswer[];
}

export interface Shadowed {
  readonly revision: string;
  /** [asks], in each those that are shadows there. */
  readonly answers: readonly (readonly ShadowAnswer[])[];
}

export interface InferenceRpc {
  /** Which models answer for which markets, and what rows each needs. Changes at most once a minute. */
  roster(): Promise<Roster>;
  /** All that have a role, with their claims and scores. */
  models(): Promise<readonly ModelView[]>;
  /** One run a model, however many of the asks it answers. Signals come from a slot of their own, and from classes alone or moves. */
  predict(asks: readonly PredictAsk[]): Promise<Predicted>;
  /** The same asks to the shadows, apart: a shadow that has to be loaded, or whose file the bucket doesn't give, must hold up no active model's answer. */
  shadows(asks: readonly PredictAsk[]): Promise<Shadowed>;
}
