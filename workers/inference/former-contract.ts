/** What the inference Worker offers over RPC: plain data in and out. */

import type { ModelManifest, OutputColumn } from "../../models/contract.ts";

export type ModelFault =
  /** How a new deployment begins: no pointer is there. */
  | "never-published"
  /** What the pointer names is not there. */
  | "not-found"
  /** The bucket failed: nothing is known of what was published. */
  | "store-unreachable"
  | "too-large"
  | "bad-manifest"
  | "hash-mismatch"
  | "fingerprint-mismatch"
  | "shape-mismatch"
  | "golden-mismatch"
  | "not-loadable"
  /** The model answered what is no number. */
  | "bad-output"
  /** The model is whole, and answers something else than the moves of a market's prices. */
  | "not-a-forecast"
  /** The model eats a window of rows, and was asked with single ones. */
  | "needs-a-window";

export interface ModelRefusal {
  readonly ok: false;
  readonly fault: ModelFault;
  readonly detail: string;
}

export interface Prediction {
  readonly ok: true;
  readonly modelId: string;
  readonly version: string;
  readonly sha256: string;
  readonly source: "r2" | "shipped";
  /** What the model was trained on, in words: another market than the one that is asked about, most likely. */
  readonly trainedOn: string;
  readonly columns: readonly OutputColumn[];
  /** [rows][columns] basis points. */
  readonly movesBps: readonly (readonly number[])[];
}

export interface ModelView {
  readonly ok: true;
  readonly source: "r2" | "shipped";
  /** Why the published model is not served, where the shipped one stands in for it. */
  readonly fellBackFrom: ModelRefusal | null;
  readonly manifest: ModelManifest;
}

export interface InferenceRpc {
  /** The model that is served now. */
  active(): Promise<ModelView | ModelRefusal>;
  /**
   * A forecast from each row alone: answered by models of moves with a window of one row, and refused by all others.
   * @param fingerprint of the feature set the rows were made with. @param rows [rows][columns], raw.
   */
  predict(fingerprint: string, rows: readonly (readonly number[])[]): Promise<Prediction | ModelRefusal>;
}
