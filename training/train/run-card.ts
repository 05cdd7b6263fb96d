/** `run.json`: what all runs tell, and what each kind of them does besides. See run-folder.ts for the folder around it. */

import { z } from "zod";
import { LABEL_KINDS } from "../../core/labels/moves.ts";
import { COMMIT_PATTERN } from "../../models/manifest.ts";
import type { TrainSettings } from "../engine/settings.ts";
import { networkSettingsShape } from "../networks/settings.ts";
import type { RunTreeSettings } from "./fit-trees.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const finite = z.array(z.number());
const outputs = z.array(z.strictObject({ target: z.enum(["bid", "mid", "ask"]), horizonMs: z.int().positive() })).min(1);

/** Of moves, in units of the targets' scale. */
const movesLoss = z.discriminatedUnion("id", [
  z.strictObject({ id: z.enum(["squared", "absolute"]) }),
  z.strictObject({ id: z.literal("huber"), delta: z.number() }),
]);

export type MovesLoss = z.infer<typeof movesLoss>;

const slots = z.array(z.strictObject({ name: z.string(), shape: z.array(z.int()), offset: z.int(), size: z.int() }));

const common = {
  format: z.literal("edgebook-run/2"),
  /** Of the code, as training/commit.ts tells it. */
  commit: z.string().regex(COMMIT_PATTERN).nullable(),
  family: z.string(),
  /** How the family was built, and what the training rows called flat, by question of its classes. */
  model: z.strictObject({ ...networkSettingsShape.shape, thresholdsBps: finite }),
  data: z.strictObject({
    folder: z.string(),
    sha256,
    source: z.string(),
    markets: z.array(z.strictObject({ market: z.string(), source: z.string(), from: z.number(), to: z.number() })),
  }),
  featureSet: z.strictObject({ id: z.string(), fingerprint: z.string(), columns: z.array(z.string()), warmupMs: z.number() }),
  intervalMs: z.int(),
  outputs,
  /** Which moves its targets were. Absent: point. */
  label: z.enum(LABEL_KINDS).optional(),
  split: z.strictObject({
    trainShare: z.number(),
    validationShare: z.number(),
    purgeMs: z.number(),
    validationFrom: z.number(),
    testFrom: z.number().nullable(),
    trainRows: z.int(),
    /** Of a dataset with several phases of the second, how many training rows each gave. */
    trainPhases: z.array(z.strictObject({ phaseMs: z.int(), rows: z.int() })).optional(),
    validationRows: z.int(),
    trainFrom: z.number(),
    trainTo: z.number(),
  }),
  normaliser: z.strictObject({ mean: finite, scale: finite, clip: z.number() }),
  targetScale: finite,
  /** Null: moves taught as they are. */
  targetClip: z.number().nullable(),
  /** Of each move, or each question of classes. */
  ridgeLambdas: z.array(z.number().nullable()),
  /**
   * Over the validation cells: of moves the mean squared error in units of the targets' scale. Of classes the cross-entropy in nats, of a reconstruction the
   * mean squared error; `persistence` is then what knows nothing of the row (baseline.ts), and `ridge` of classes the logistic line.
   */
  validation: z.strictObject({ model: z.number(), ridge: z.number().nullable(), persistence: z.number() }),
};

const networkCard = z.strictObject({
  ...common,
  kind: z.literal("network"),
  backend: z.enum(["node", "wasm"]),
  settings: z.strictObject({
    seed: z.int(),
    epochs: z.int(),
    batch: z.int(),
    learningRate: z.number(),
    patience: z.int(),
    optimiser: z.discriminatedUnion("kind", [
      z.strictObject({
        kind: z.enum(["adamw", "adam"]),
        beta1: z.number(),
        beta2: z.number(),
        epsilon: z.number(),
        weightDecay: z.number(),
      }),
      z.strictObject({
        kind: z.literal("rmsprop"),
        smoothing: z.number(),
        epsilon: z.number(),
        momentum: z.number(),
        weightDecay: z.number(),
      }),
      z.strictObject({ kind: z.literal("sgd"), momentum: z.number(), isNesterov: z.boolean(), weightDecay: z.number() }),
    ]),
    schedule: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.enum(["constant", "linear", "cosine", "plateau", "one-cycle"]), warmupSteps: z.int() }),
      z.strictObject({ kind: z.literal("step"), warmupSteps: z.int(), everyEpochs: z.int(), factor: z.number() }),
    ]),
    clip: z.strictObject({ norm: z.number().nullable(), value: z.number().nullable() }),
    workers: z.int(),
    accumulate: z.int(),
  } satisfies Record<keyof TrainSettings, z.ZodType>),
  /** Absent: squared errors. */
  loss: movesLoss.optional(),
  /** [outputs] what each move counts in the loss, and so in the choice of the epoch; not in `validation`. Absent: all alike. */
  outputWeights: finite.optional(),
  slots,
  /** Of running statistics; absent: the network has none. */
  statisticSlots: slots.optional(),
  bestEpoch: z.int(),
  files: z.strictObject({ weights: sha256, ridge: sha256 }),
});

const lineSettings = { lambdas: finite, hasIntercept: z.boolean() };

const treesCard = z.strictObject({
  ...common,
  kind: z.literal("trees"),
  /** Without the number of threads: the model is the same for any. */
  settings: z.strictObject({
    seed: z.int(),
    objective: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.enum(["squared-error", "absolute-error"]) }),
      z.strictObject({ kind: z.literal("quantile"), level: z.number() }),
      z.strictObject({ kind: z.literal("multiclass") }),
    ]),
    rounds: z.int(),
    learningRate: z.number(),
    growth: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("depth-wise"), maxDepth: z.int() }),
      z.strictObject({ kind: z.literal("leaf-wise"), maxLeaves: z.int(), maxDepth: z.int() }),
    ]),
    maxBins: z.int(),
    lambda: z.number(),
    minHessian: z.number(),
    minRows: z.int(),
    minGain: z.number(),
    rowShare: z.number(),
    columnShare: z.number(),
    monotone: z.array(z.literal([-1, 0, 1])).nullable(),
    earlyStoppingRounds: z.int().nullable(),
  } satisfies Record<keyof RunTreeSettings, z.ZodType>),
  /** One for each move or question, in the order of the output; null: it was not asked for. */
  ensembles: z.array(z.strictObject({ sha256, rounds: z.int(), bestRound: z.int() }).nullable()).min(1),
  /** The line that the trees correct, and the λ that validation chose for each move. Absent: they answer alone. */
  line: z.strictObject({ ...lineSettings, chosen: z.array(z.number().nullable()) }).optional(),
  files: z.strictObject({ ridge: sha256, lines: sha256.optional() }),
});

const linesCard = z.strictObject({
  ...common,
  kind: z.literal("lines"),
  settings: z.strictObject(lineSettings),
  /** Of each move or question: the λ that validation chose; null where no line beat the constant. */
  lambdas: z.array(z.number().nullable()),
  files: z.strictObject({ lines: sha256, ridge: sha256 }),
});

export const runShape = z.discriminatedUnion("kind", [networkCard, treesCard, linesCard]);

export type NetworkCard = z.infer<typeof networkCard>;
export type TreesCard = z.infer<typeof treesCard>;
export type LinesCard = z.infer<typeof linesCard>;
export type RunCard = z.infer<typeof runShape>;
/** What all kinds have. */
export type CommonCard = Pick<RunCard, keyof typeof common>;
