/**
 * The networks that are compared, and how each is built and trained. Sizes are those of their sources but where a day of rows would take more than a few
 * minutes an epoch on two cores; these are small, and say so.
 *
 * The coded ones read through an encoder to 16 numbers, learnt with the forecaster. Each has its twin beside it, which reads the same window of the same
 * columns without one: their difference in skill and in time is what the code costs and gains.
 */

import { codedLstmOf, codedMlpOf } from "../../networks/autoencoder.ts";
import { binctablOf } from "../../networks/binctabl.ts";
import type { NetworkOf } from "../../networks/contract.ts";
import { deeplobOf } from "../../networks/deeplob.ts";
import { tlobOf } from "../../networks/mixers.ts";
import { mlpOf } from "../../networks/mlp.ts";
import { lstmOf } from "../../networks/recurrent.ts";
import { reshape } from "../../tensors/operators/layout.ts";
import { networkModel } from "./networks.ts";
import { wideMlp } from "./wide-mlp.ts";

const USUAL = { size: "paper", epochs: 8, learningRate: 1e-3, batch: 256, mostRows: 150_000 } as const;
/** Windows of a hundred rows and more. */
const HEAVY = { ...USUAL, epochs: 5, mostRows: 45_000, batch: 64 } as const;
const BOOK = "levels-10";

/** The 100-50-n network, which sees the whole window as one row. */
const flatMlpOf: NetworkOf = (task) => {
  const network = mlpOf(task);
  return (graph, input) => network(graph, reshape(graph, input, [input.shape[0] ?? "batch", task.window * task.columns]));
};

export const NETWORKS = [
  networkModel({ ...USUAL, id: "mlp", title: "a 100-50-n network of all columns", reads: null, window: 1, network: mlpOf }),
  networkModel({
    ...USUAL,
    id: "mlp-five",
    title: "the same network from five seeds, their mean",
    reads: null,
    window: 1,
    network: mlpOf,
    seeds: [1, 2, 3, 4, 5],
  }),
  wideMlp,
  networkModel({
    ...HEAVY,
    id: "lstm",
    title: "an LSTM over 30 rows of all columns, all horizons at once",
    reads: null,
    window: 30,
    network: lstmOf,
    mostRows: 150_000,
    batch: 128,
  }),
  networkModel({
    ...USUAL,
    id: "corrected-mlp",
    title: "ridge, and the 100-50-n network of what it leaves",
    reads: null,
    window: 1,
    network: mlpOf,
    corrects: "ridge",
  }),
  networkModel({
    ...HEAVY,
    id: "corrected-lstm",
    title: "ridge, and an LSTM over 30 rows of what it leaves",
    reads: null,
    window: 30,
    network: lstmOf,
    corrects: "ridge",
    mostRows: 150_000,
    batch: 128,
  }),
  networkModel({
    ...USUAL,
    id: "coded-mlp",
    title: "10 rows of the book through a code of 16",
    reads: BOOK,
    window: 10,
    network: codedMlpOf,
  }),
  networkModel({ ...USUAL, id: "plain-mlp", title: "the same 10 rows without a code", reads: BOOK, window: 10, network: flatMlpOf }),
  networkModel({
    ...HEAVY,
    id: "coded-lstm",
    title: "an LSTM over 100 rows of the book, each through a code of 16",
    reads: BOOK,
    window: 100,
    network: codedLstmOf,
  }),
  networkModel({ ...HEAVY, id: "plain-lstm", title: "the same 100 rows without a code", reads: BOOK, window: 100, network: lstmOf }),
  networkModel({
    ...USUAL,
    id: "binctabl",
    title: "BiNCTABL over 10 rows of the book",
    reads: BOOK,
    window: 10,
    network: binctablOf,
    epochs: 5,
  }),
  networkModel({
    ...HEAVY,
    id: "deeplob",
    title: "DeepLOB (small) over 100 rows of the book",
    reads: BOOK,
    window: 100,
    network: deeplobOf,
    size: "small",
  }),
  networkModel({
    ...HEAVY,
    id: "tlob",
    title: "a transformer (TLOB, small) over 128 rows of the book",
    reads: BOOK,
    window: 128,
    network: tlobOf,
    size: "small",
  }),
] as const;

/** Coded network and its twin. */
export const CODED_TWINS: readonly (readonly [string, string])[] = [
  ["coded-mlp", "plain-mlp"],
  ["coded-lstm", "plain-lstm"],
];
