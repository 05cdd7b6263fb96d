/**
 * BUY, SELL or WAIT: what a pressure between -1 and 1 says beside a threshold. Pressure is right side up throughout: above 0 where the price is expected
 * to rise, whether the book says so (simple.ts) or a network (neural.ts).
 *
 * The threshold lies in [0, 1], and the lower it is the more signals there are. Pressure has to be beyond it: at 0 only a book in balance waits, at 1 all do.
 */

export type Signal = "BUY" | "SELL" | "WAIT";

/** @param pressure -1 to 1. @throws RangeError on a threshold outside [0, 1], or a pressure that is none: callers check what comes from outside. */
export function signalOf(pressure: number, threshold: number): Signal {
  requireThreshold(threshold);
  if (!(pressure >= -1 && pressure <= 1)) throw new RangeError(`a pressure of ${pressure}: it lies between -1 and 1`);
  if (pressure > threshold) return "BUY";
  return pressure < -threshold ? "SELL" : "WAIT";
}

function requireThreshold(threshold: number): void {
  if (!(threshold >= 0 && threshold <= 1)) throw new RangeError(`a threshold of ${threshold}: it lies between 0 and 1`);
}
