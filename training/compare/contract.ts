/**
 * What a compared model is: fitted on rows that all of them share, it answers the validation and the test rows, and never sees what the test rows
 * came to. Forecasts are moves in basis points, [rows, outputs], in the order of the data's targets.
 */

import type { Normaliser } from "../../models/contract.ts";
import type { Progress } from "../progress.ts";
import type { Runtime } from "../runtime/contract.ts";
import type { AlignedData } from "./aligned-data.ts";

/** Who is asked for it: the order of the tables. */
export type ModelKind = "baseline" | "line" | "trees" | "network" | "combination";

/** What a model is given. Rows are those of the aligned data, ascending. */
export interface ModelTask {
  /** With the test rows' targets taken out: see `blindfolded`. */
  readonly data: AlignedData;
  readonly fit: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
  /** Moves that had ended when a row was answered. */
  readonly ended: EndedMoves;
  readonly runtime: Runtime;
  readonly threads: number;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/** The last move over each horizon that was fully known at a row. */
export interface EndedMoves {
  /** [rows, outputs] bps, 0 where none is known. */
  readonly moves: Float32Array;
  /** [rows, outputs] 1 where one is known. */
  readonly mask: Uint8Array;
}

/** A file as it would be served, to be timed and weighed. */
export interface ServedModel {
  readonly onnx: Uint8Array;
  readonly inputName: string;
  readonly window: number;
  readonly columns: number;
  /** Which set of columns goes in. */
  readonly reads: string;
  readonly normaliser: Normaliser;
}

export interface FittedModel {
  /** [validation rows, outputs] of the model that was fitted on the fit rows alone. */
  readonly validation: Float32Array;
  /** [test rows, outputs] */
  readonly test: Float32Array;
  /** [rows, outputs, down | flat | up] of whoever says them itself; else they are read off the moves by a calibration of validation rows. */
  readonly probabilities?: { readonly validation: Float32Array; readonly test: Float32Array };
  /** How many settings validation chose among, over all outputs together: 1 where nothing was chosen. */
  readonly configurations: number;
  /** Whether what answers the test rows was fitted once more, on fit and validation rows together, with what validation chose. */
  readonly isRefitted: boolean;
  /** Sentences of what was chosen, for people. */
  readonly notes: readonly string[];
  /** Null: it has no file of its own. */
  readonly served: ServedModel | null;
}

export interface ComparedModel {
  readonly id: string;
  readonly kind: ModelKind;
  /** What it is, in a few words. */
  readonly title: string;
  /** The feature set it needs; null: whichever the comparison is about. */
  readonly reads: string | null;
  /** Rows of history that it sees. */
  readonly window: number;
  /** All that its outcome hangs on besides data and code: another text, another model. */
  readonly settings: unknown;
  /** Null: it can be fitted; else why these data don't allow it. */
  refusal(data: AlignedData): string | null;
  fit(task: ModelTask): Promise<FittedModel>;
}
