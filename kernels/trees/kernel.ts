/**
 * What training boosted trees spends its time in. All threads run this over one shared memory; training/trees says where in it everything lies,
 * and gives every place as an address in bytes. Nothing here allocates, waits, or keeps anything between two calls.
 */

export { chooseCuts, fillBins, sortColumn } from "./bins";
export { absoluteError, logLoss, multiclass, quantileError, softmax, squaredError } from "./gradients";
export { addHistogram, addHistogramOfAll, addHistogramOfList } from "./histograms";
export { lookAhead } from "./interactions";
export { addToRows, addTree, splitToRows, sumWeights, weightedQuantile } from "./leaves";
export { countLeft, countLeftOfAll, partition, partitionAll } from "./partition";
export { drawRows, quantise, quantiseRows } from "./quanta";
export { findInPair, findInRoot } from "./splits";
