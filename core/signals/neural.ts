/**
 * The signal of a network that answers which way the price goes: BUY where up leads down by more than the threshold. What it thinks of staying (three classes)
 * counts for neither side. As sturex/pyOrderbookTrading meant it; what that code really does, which is the contrary, is in classic.ts.
 */

import { type Signal, signalOf } from "./signal.ts";

export interface NeuralSignal {
  /** Probability of up less that of down, -1 to 1. */
  readonly pressure: number;
  readonly signal: Signal;
}

/**
 * @param probabilities by label, which must hold "up" and "down"; whatever else is there is read as neither.
 * @throws RangeError where there are no such labels, or what stands at them are no probabilities: the model's manifest was not checked.
 */
export function neuralSignal(
  { labels, probabilities }: { readonly labels: readonly string[]; readonly probabilities: readonly number[] },
  threshold: number,
): NeuralSignal {
  // Each may be a float32's rounding above 1, and so may their difference.
  const pressure = clipped(probabilityOf("up", labels, probabilities) - probabilityOf("down", labels, probabilities));
  return { pressure, signal: signalOf(pressure, threshold) };
}

/** Of float32 sums that should be 1 at most. */
const ROUNDING = 1e-3;

function probabilityOf(label: string, labels: readonly string[], probabilities: readonly number[]): number {
  const probability = probabilities[labels.indexOf(label)];
  if (probability === undefined || !(probability >= -ROUNDING && probability <= 1 + ROUNDING)) {
    throw new RangeError(`a probability of ${label} of ${probability}, of the labels ${labels.join(", ")}`);
  }
  return probability;
}

function clipped(pressure: number): number {
  return Math.max(-1, Math.min(1, pressure));
}
