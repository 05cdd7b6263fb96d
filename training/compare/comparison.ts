/** What a comparison comes to: compare.json. All of it but `costs` follows from data, code and settings alone. */

import type { LabelKind } from "../../core/labels/moves.ts";
import type { OutputColumn } from "../../models/contract.ts";
import type { ForecastScore } from "../evaluate/forecast-score.ts";
import type { ModelKind } from "./contract.ts";
import type { ServedCosts } from "./costs/measure-served.ts";
import type { FreeLabelScore } from "./free-labels.ts";
import type { SliceScore } from "./score/slices.ts";

export interface Comparison {
  readonly format: "edgebook-compare/1";
  /** Of the code, as training/commit.ts tells it. */
  readonly commit: string | null;
  readonly data: readonly { readonly features: string; readonly sha256: string; readonly rows: number }[];
  readonly source: string;
  readonly markets: readonly string[];
  readonly label: LabelKind;
  readonly intervalMs: number;
  readonly outputs: readonly OutputColumn[];
  /** That all sets have, with the history that the models want. */
  readonly rows: number;
  readonly folds: readonly FoldFacts[];
  /** How the folds were cut, in words. */
  readonly protocol: string;
  readonly purgeMs: number;
  /** Settings that were tried, over all models, outputs alike. */
  readonly configurations: number;
  readonly models: readonly ComparedResult[];
  /** Coded networks beside their twins. */
  readonly coded: readonly CodedVerdict[];
  /** The same lines on other labels; empty where none was named. */
  readonly free: readonly FreeLabelScore[];
  /** What looks too good to be true, as sentences. */
  readonly suspicions: readonly string[];
  /** Those that these data don't allow, and why. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

export interface FoldFacts {
  /** Epoch ms, of the first and the last row of each part. */
  readonly fit: RowRange;
  readonly validation: RowRange;
  readonly test: RowRange;
}

export interface RowRange {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
}

export interface ComparedResult {
  readonly id: string;
  readonly kind: ModelKind;
  readonly title: string;
  /** The feature set that it reads; null: what others say alone. */
  readonly reads: string | null;
  readonly window: number;
  readonly configurations: number;
  readonly isRefitted: boolean;
  /** Fold by fold, what validation chose. */
  readonly notes: readonly (readonly string[])[];
  /** Over the test rows of all folds; outputs in which nothing moved are left out. */
  readonly scores: readonly ForecastScore[];
  /** Of the mid, by hour, volatility and spread. */
  readonly slices: readonly SliceScore[];
  /** Measured: another machine, other numbers. */
  readonly costs: { readonly fitSeconds: number; readonly served: ServedCosts | null };
}

/** Of a coded network beside its uncoded twin: coded-verdict.ts. */
export interface CodedVerdict {
  readonly coded: string;
  readonly plain: string;
  /** Of one forecast, median µs; null: not timed. */
  readonly microseconds: readonly [coded: number | null, plain: number | null];
  /** Mean R² of the mid over all horizons. */
  readonly r2: readonly [coded: number, plain: number];
  readonly isOnByDefault: boolean;
}
