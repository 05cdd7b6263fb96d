/**
 * What a model says of itself: the manifest that travels with its ONNX file. The file is data, and hostile until every claim
 * here has been checked: its hash, the fingerprint of its features, its shapes, and its golden vectors.
 *
 * The unit of the output tells what kind of answer it is: basis points are moves, and so on. A manifest with a window of one row has the
 * input shape ["batch", columns]; one with more has ["batch", window, columns], oldest row first.
 */

import type { BinnedCalibration } from "../core/calibration/by-bins.ts";
import type { LabelKind } from "../core/labels/moves.ts";
import type { TrainedTicks } from "./trained-ticks.ts";

/** Which price a forecast is of. */
export type ForecastTarget = "bid" | "mid" | "ask";
export const FORECAST_TARGETS: readonly ForecastTarget[] = ["bid", "mid", "ask"];

/** What one output column means: the move of `target` from now to `horizonMs` later, in basis points of its own present price. */
export interface OutputColumn {
  readonly target: ForecastTarget;
  readonly horizonMs: number;
  /** Of a model of many markets; absent: of the market whose rows go in. */
  readonly market?: string;
}

export const CLASS_ASKS = ["move", "next-change"] as const;

/** What one group of class probabilities answers. They add up to 1. */
export interface ClassQuestion {
  /** `move`: which way, from now to `horizonMs` later. `next-change`: which way the next change goes, given one within `horizonMs`. */
  readonly asks: (typeof CLASS_ASKS)[number];
  readonly target: ForecastTarget;
  readonly horizonMs: number;
  /** In the order of the probabilities. */
  readonly labels: readonly string[];
}

/** What a forecaster is asked: it answers at these horizons, ascending, and classifies by that question. */
export interface ForecastsAsked {
  readonly horizonsMs: readonly number[];
  readonly asks: ClassQuestion["asks"];
}

/** A question with the threshold that the training rows gave: a move of at most so many basis points, either way, is flat. */
export interface ClassGroup extends ClassQuestion {
  readonly thresholdBps: number;
}

export type AnswerKind = "moves" | "classes" | "reconstruction" | "action-values";

export interface MovesOutput {
  readonly name: string;
  readonly unit: "bps";
  readonly columns: readonly OutputColumn[];
}

export interface ClassesOutput {
  readonly name: string;
  readonly unit: "probability";
  /** Their probabilities stand one group after the other. */
  readonly groups: readonly ClassGroup[];
}

/** The input again, [window x columns], in the units of the normaliser. */
export interface ReconstructionOutput {
  readonly name: string;
  readonly unit: "normalised";
}

/** What each action is worth: expected reward, discounted, in the units that the agent was rewarded in. */
export interface ActionValuesOutput {
  readonly name: string;
  readonly unit: "reward";
  readonly actions: readonly string[];
}

export type ModelOutput = MovesOutput | ClassesOutput | ReconstructionOutput | ActionValuesOutput;

/** (x - mean) / scale, then clipped to ±clip. Statistics come from training rows alone. [columns] each. */
export interface Normaliser {
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly clip: number;
}

/** A score of one output on data that training never saw. */
export interface Score extends OutputColumn {
  readonly rows: number;
  /** 1 - MSE(model) / MSE(persistence): above 0 is better than "the price stays". */
  readonly r2: number;
  /** Interval of r2 by block bootstrap. */
  readonly r2Low: number;
  readonly r2High: number;
  /** The same for ridge regression on the same rows. */
  readonly ridgeR2: number;
  /** Share of right signs among rows that moved; null when none moved. */
  readonly directionHitRate: number | null;
  readonly moves: number;
}

/** A score of one question of classes on data that training never saw. Differences from 0 of Matthews' correlation are skill; the others say how probable. */
export interface ClassQuestionScore extends Pick<ClassQuestion, "asks" | "target" | "horizonMs"> {
  readonly rows: number;
  readonly accuracy: number;
  readonly macroF1: number;
  /** Matthews' correlation; null where only one class came. */
  readonly mcc: number | null;
  /** Its interval by block bootstrap; null where it has none. */
  readonly mccLow: number | null;
  readonly mccHigh: number | null;
  /** Nats. */
  readonly logLoss: number;
  readonly brier: number;
  /** The same of whoever says the last class that was known, */
  readonly persistenceMcc: number | null;
  /** of a logistic line on the same rows (null: there is none), */
  readonly logisticMcc: number | null;
  readonly logisticLogLoss: number | null;
  /** and of the shares of the classes among these very rows. */
  readonly majorityLogLoss: number;
}

/** What came, given what was forecast (core/calibration/by-bins.ts): of validation rows alone, which chose the model, and never of those that judge it. */
export interface ModelCalibration {
  /** Receive times of those rows, epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  /** Probability that an interval holds its outcome, in (0, 1). */
  readonly coverage: number;
  /** Each of an output that the model has, of the label that it was trained on. */
  readonly outputs: readonly CalibratedOutput[];
}

export interface CalibratedOutput extends BinnedCalibration {
  readonly target: ForecastTarget;
  readonly horizonMs: number;
}

export interface ModelManifest {
  readonly format: "edgebook-model/1";
  readonly id: string;
  readonly version: string;
  /** The folder of `models/` that says what goes in and comes out, e.g. "mlp". */
  readonly family: string;
  /** What a row holds: a feature set, or the family's own layout. */
  readonly featureSet: { readonly id: string; readonly fingerprint: string; readonly columns: readonly string[] };
  /** The market's own clock between two rows. */
  readonly intervalMs: number;
  readonly input: { readonly name: string; readonly shape: readonly (number | "batch")[] };
  /** The graph answers ["batch", values]. */
  readonly output: ModelOutput;
  /** Which moves it answers, or classes of which (core/labels/moves.ts). Absent: point. */
  readonly label?: LabelKind;
  /** Of moves; absent: none was made, and neither intervals nor probabilities are served. */
  readonly calibration?: ModelCalibration;
  readonly normaliser: Normaliser;
  readonly opset: number;
  readonly artifact: { readonly file: "model.onnx"; readonly sha256: string; readonly bytes: number };
  readonly trainedOn: {
    readonly source: string;
    readonly datasetSha256: string;
    readonly from: number;
    readonly to: number;
    readonly rows: number;
    readonly seed: number;
    /** Of the code that trained it, "-dirty" behind it where that was changed; null where unknown, or the very one the model lies in. */
    readonly commit: string | null;
    /** Of a tick, in bps of the mid, over its markets. Absent: not known. */
    readonly ticksBps?: TrainedTicks;
  };
  /** Of moves. */
  readonly scores: readonly Score[];
  /** Of a model of classes that has been scored. */
  readonly classScores?: readonly ClassQuestionScore[];
  /** Null: never scored. */
  readonly scoredOn: {
    readonly source: string;
    readonly datasetSha256: string;
    readonly from: number;
    readonly to: number;
    readonly rows: number;
    readonly purgeMs: number;
    /** Of the code that scored it, as in `trainedOn`. */
    readonly commit: string | null;
  } | null;
  /** Raw (not normalised) windows, [vectors][window x columns], oldest row first, and what the exported file answered to them; checked at load. */
  readonly golden: {
    readonly inputs: readonly (readonly number[])[];
    readonly outputs: readonly (readonly number[])[];
    readonly tolerance: number;
  };
}

/** Columns that no feature set of one market has: of many markets at once, or of an agent's own state. Whoever uses the model fills them. */
export interface InputLayout {
  readonly id: string;
  readonly columns: readonly string[];
  /** 16 hex digits over id, revision, interval and columns. */
  readonly fingerprint: string;
  readonly intervalMs: number;
}

/** What a family's rows are made of. */
export type FamilyInputs =
  /** Rows of a feature set; `featureSet` null: of any. */
  { readonly kind: "features"; readonly featureSet: string | null } | { readonly kind: "layout"; readonly layout: InputLayout };

/** What a family's networks can be trained to answer, apart from what only training knows (the thresholds of classes). */
export type FamilyAnswer =
  | { readonly kind: "moves"; readonly columns: readonly OutputColumn[] }
  | { readonly kind: "classes"; readonly questions: readonly ClassQuestion[] }
  | { readonly kind: "reconstruction" }
  | { readonly kind: "action-values"; readonly actions: readonly string[] };

/** What a forecaster can be asked. Its horizons are those of its data. */
export interface Forecasts {
  readonly kinds: readonly ("moves" | "classes")[];
  /** The first is meant where nothing is said. */
  readonly asks: readonly [ClassQuestion["asks"], ...ClassQuestion["asks"][]];
}

/** A folder of `models/`: what goes into its networks and what comes out. Weights live elsewhere, in ONNX files. */
export interface ModelFamily {
  readonly id: string;
  readonly inputs: FamilyInputs;
  /** Rows of history that it eats, the newest the last; 1: the newest alone. */
  readonly window: number;
  /** Each kind once; the first is meant where nothing is said. A forecaster's are those to the usual horizons and question: `familyAt` has others. */
  readonly answers: readonly [FamilyAnswer, ...FamilyAnswer[]];
  /** Null: its answers are the same whatever its data are. */
  readonly forecasts: Forecasts | null;
  /** How many columns it takes; null: any number. */
  readonly columns: number | null;
  readonly inputName: string;
  /** Writes a raw row [columns], normalised, into `out[offset, offset + columns)`. */
  prepareInput(row: ArrayLike<number>, normaliser: Normaliser, out: Float32Array, offset: number): void;
}

/** The content of `models/active.json`, by which instances named their model before the database had roles. */
export interface ActiveModel {
  readonly id: string;
  readonly version: string;
  /** Of the bytes of manifest.json, lower-case hex. */
  readonly manifestSha256: string;
}
