/**
 * What a model says of itself: the manifest that travels with its ONNX file. The file is data, and hostile until every claim
 * here has been checked: its hash, the fingerprint of its features, its shapes, and its golden vectors.
 */

/** Which price a forecast is of. */
export type ForecastTarget = "bid" | "mid" | "ask";
export const FORECAST_TARGETS: readonly ForecastTarget[] = ["bid", "mid", "ask"];

/** What one output column means: the move of `target` from now to `horizonMs` later, in basis points of its own present price. */
export interface OutputColumn {
  readonly target: ForecastTarget;
  readonly horizonMs: number;
}

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

export interface ModelManifest {
  readonly format: "edgebook-model/1";
  readonly id: string;
  readonly version: string;
  /** The folder of `models/` that says what goes in and comes out, e.g. "mlp". */
  readonly family: string;
  readonly featureSet: { readonly id: string; readonly fingerprint: string; readonly columns: readonly string[] };
  /** The market's own clock between two rows. */
  readonly intervalMs: number;
  readonly input: { readonly name: string; readonly shape: readonly (number | "batch")[] };
  readonly output: { readonly name: string; readonly columns: readonly OutputColumn[]; readonly unit: "bps" };
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
  };
  readonly scores: readonly Score[];
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
  /** Raw (not normalised) feature rows and what the exported file answered to them; checked at load. */
  readonly golden: {
    readonly inputs: readonly (readonly number[])[];
    readonly outputs: readonly (readonly number[])[];
    readonly tolerance: number;
  };
}

/** A folder of `models/`: what goes into its networks and what comes out. Weights live elsewhere, in ONNX files. */
export interface ModelFamily {
  readonly id: string;
  readonly inputName: string;
  readonly outputName: string;
  /** [outputs] in the order in which the network answers. */
  readonly outputs: readonly OutputColumn[];
  inputShape(columns: number): readonly (number | "batch")[];
  /** Writes a raw row [columns], normalised, into `out[offset, offset + columns)`. */
  prepareInput(row: ArrayLike<number>, normaliser: Normaliser, out: Float32Array, offset: number): void;
}

/** The content of `models/active.json`: which published model is served. Written last, so that it never names half a model. */
export interface ActiveModel {
  readonly id: string;
  readonly version: string;
  /** Of the bytes of manifest.json, lower-case hex. */
  readonly manifestSha256: string;
}
