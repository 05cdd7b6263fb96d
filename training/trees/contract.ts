/**
 * Boosted trees: what goes in, what comes out. The trainer, the exporter and everything that explains a model meet here.
 *
 * A row goes left where `x < threshold`, both float32, as ONNX's BRANCH_LT does: what training saw and what the exported ensemble does are the
 * same comparison of the same bits. NaN is a missing value and goes the way the split learnt (`isMissingLeft`).
 */

export type TreeObjective =
  | { readonly kind: "squared-error" }
  | { readonly kind: "absolute-error" }
  /** The level lies in (0, 1): 0.9 asks for the value below which nine of ten targets lie. */
  | { readonly kind: "quantile"; readonly level: number }
  /** Targets are 0 or 1; the ensemble answers log-odds, the exported model probabilities. */
  | { readonly kind: "log-loss" }
  /** Targets are 0 … classes - 1; one tree a class and round, softmax over them. */
  | { readonly kind: "multiclass"; readonly classes: number };

export type TreeGrowth =
  /** Level by level, all nodes of a level that gain. */
  | { readonly kind: "depth-wise"; readonly maxDepth: number }
  /** The leaf that gains most is split next. */
  | { readonly kind: "leaf-wise"; readonly maxLeaves: number; readonly maxDepth: number };

export interface TreeSettings {
  readonly objective: TreeObjective;
  /** Trees a class. */
  readonly rounds: number;
  readonly learningRate: number;
  readonly growth: TreeGrowth;
  /** Of values that are there; one more is for the missing. At most 255. */
  readonly maxBins: number;
  /** L2 on leaf values, added to the hessian. */
  readonly lambda: number;
  /** Least sum of hessians in a child. */
  readonly minHessian: number;
  /**
   * Least rows in a child. With weights, log-loss and multiclass a child's rows are told from its share of the node's hessian, as LightGBM tells
   * them: some rows more or fewer may do.
   */
  readonly minRows: number;
  /** Least gain of a split. */
  readonly minGain: number;
  /** Share of the rows drawn for each tree, without replacement; 1 takes all. */
  readonly rowShare: number;
  /** Share of the columns drawn for each tree; 1 takes all. */
  readonly columnShare: number;
  /** [columns] 1: answers never fall as the column rises; -1: never rise; 0: free. Null: all free. */
  readonly monotone: readonly (-1 | 0 | 1)[] | null;
  /** Stops after so many rounds without a better validation loss, and keeps the rounds up to the best. */
  readonly earlyStoppingRounds: number | null;
  readonly seed: number;
  readonly threads: number;
}

/** Training or validation rows. */
export interface TreeData extends TreeFeatures {
  /** [rows] finite; classes are whole numbers. */
  readonly targets: Float32Array;
}

/** Rows without what is to be learnt from them. */
export interface TreeFeatures extends TreeRows {
  readonly features: Float32Array;
}

/** The same where the values may lie elsewhere: training looks at each once, to bin it, and at a sample. */
export interface TreeRows {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns] row-major; NaN is missing, infinities are refused. */
  readonly features: Float32Array | StoredFeatures;
  /** [rows] above 0; null weighs all rows alike. */
  readonly weights: Float32Array | null;
}

/** Values that are fetched when they are wanted. */
export interface StoredFeatures {
  /** rows x columns */
  readonly length: number;
  /** Copies the values of these rows, ascending, one row behind the other. */
  copy(rows: Uint32Array, into: Float32Array): void;
}

/** One tree as parallel arrays over its nodes; node 0 is the root, children come after their parent. */
export interface Tree {
  /** Which output it adds to: the class, or 0. */
  readonly output: number;
  /** [nodes] column that is compared; -1 at a leaf. */
  readonly feature: Int32Array;
  /** [nodes] `x < threshold` goes left. 0 at a leaf. The largest float32: all values go left, and only missing ones right. */
  readonly threshold: Float32Array;
  /** [nodes] 1: a missing value goes left. */
  readonly isMissingLeft: Uint8Array;
  /** [nodes] numbers of the children; -1 at a leaf. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** [nodes] what a leaf adds, learning rate included; 0 elsewhere. */
  readonly value: Float32Array;
  /** [nodes] what the split gained; 0 at a leaf. */
  readonly gain: Float32Array;
  /** [nodes] training rows (weights summed) that came by. */
  readonly cover: Float32Array;
}

export interface TreeEnsemble {
  readonly objective: TreeObjective;
  readonly columns: number;
  /** 1, or the classes. */
  readonly outputs: number;
  /** [outputs] where each sum starts. */
  readonly base: Float32Array;
  /** Round by round, in each round output by output. */
  readonly trees: readonly Tree[];
}

/**
 * The losses after one round, means over the rows' weights: (y - p)², |y - p|, the pinball loss, -log of the probability of what was.
 * Sampling leaves out no row here.
 */
export interface RoundScore {
  readonly round: number;
  readonly trainLoss: number;
  /** Null without validation rows. */
  readonly validationLoss: number | null;
}

export interface TrainedTrees {
  readonly ensemble: TreeEnsemble;
  readonly curve: readonly RoundScore[];
  /** Rounds kept. */
  readonly bestRound: number;
  /** All rounds that were trained, those after the best too, each output by output: what a stopped training goes on from. */
  readonly rounds: readonly (readonly Tree[])[];
  /** The signal ended it, and more rounds would have come. */
  readonly isStopped: boolean;
}

/** Where a stopped training stood, as it was answered. */
export type StoppedTrees = Pick<TrainedTrees, "rounds" | "curve">;

export interface TrainTreesOptions {
  readonly settings: TreeSettings;
  /** Its loss is in the curve, and stops the training early where the settings ask for that. */
  readonly validation?: TreeData | null;
  readonly onRound?: (score: RoundScore) => void;
  readonly signal?: AbortSignal;
  /** Goes on from there, to the very model of a training that never stopped: the rows and settings have to be the same. */
  readonly from?: StoppedTrees;
}

/** One of several targets of the same rows. */
export interface TreeTarget {
  readonly objective: TreeObjective;
  /** [rows] of the training rows. */
  readonly training: Float32Array;
  /** [rows] of the validation rows; null where there are none. */
  readonly validation: Float32Array | null;
}

export interface TrainTreesForTargetsOptions {
  readonly targets: readonly TreeTarget[];
  readonly settings: Omit<TreeSettings, "objective">;
  readonly validation?: TreeRows | null;
  /** @param target its place among the targets, which are trained one after the other. */
  readonly onRound?: (score: RoundScore, target: number) => void;
  /** Called when a target is done, and awaited before the next. */
  readonly onTarget?: (trained: TrainedTrees, target: number) => Promise<void>;
  /** Called between rounds, and awaited; `soFar` gives what a training that was stopped there would have. */
  readonly onPause?: (soFar: () => TrainedTrees, target: number) => Promise<void>;
  readonly signal?: AbortSignal;
  /** [targets] where a stopped training stood; null or absent: at its beginning. */
  readonly from?: readonly (StoppedTrees | null)[];
}
