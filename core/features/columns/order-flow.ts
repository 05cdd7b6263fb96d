/**
 * Order-flow imbalance (R. Cont, A. Kukanov, S. Stoikov, "The price impact of order book events", Journal of Financial Econometrics 12(1),
 * 2014): what was added to, less what was taken from, the best bid, less the same of the best ask. Buy pressure is positive.
 *
 *   e_n = q_b(n)·1{b(n) >= b(n-1)} - q_b(n-1)·1{b(n) <= b(n-1)} - q_a(n)·1{a(n) <= a(n-1)} + q_a(n-1)·1{a(n) >= a(n-1)}
 *
 * An event is one change of the book, however many levels it touches. An empty side is a price worse than any other, with nothing there.
 * Sums of lots are integers, exact while below 2^53. They are divided by the depth scale and their tails pulled in by signedLog.
 */

import type { Ladder } from "../../book/ladder.ts";
import { sideSign } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { DEPTH_SCALE_SECONDS } from "./depth-scale.ts";
import { FlowWindows } from "./flow-windows.ts";
import { warmupOf } from "./warm-up.ts";

/** The best level of one side, and what flowed to it since: written once for both sides, since a better price has a larger key on both. */
class BestLevel {
  private key = Number.NEGATIVE_INFINITY;
  private lots = 0;

  /** Moves to where the ladder now stands. @returns lots added at the best price less lots taken from it. */
  moveTo(ladder: Ladder): number {
    const isEmpty = ladder.levelCount === 0;
    const key = isEmpty ? Number.NEGATIVE_INFINITY : sideSign(ladder.side) * ladder.ticksAt(0);
    const lots = isEmpty ? 0 : ladder.lotsAt(0);
    const flow = (key >= this.key ? lots : 0) - (key <= this.key ? this.lots : 0);
    this.key = key;
    this.lots = lots;
    return flow;
  }
}

/** e_n of each change of a book. The first call has nothing to compare with: it only takes the book in. */
export class OrderFlow {
  private readonly bid = new BestLevel();
  private readonly ask = new BestLevel();
  private isPrimed = false;

  /** Lots of buy pressure in the change that led to these ladders. */
  next(bids: Ladder, asks: Ladder): number {
    const flow = this.bid.moveTo(bids) - this.ask.moveTo(asks);
    if (this.isPrimed) return flow;
    this.isPrimed = true;
    return 0;
  }

  clear(): void {
    this.isPrimed = false;
  }
}

export function createOrderFlowImbalance(windowsSeconds: readonly number[]): Feature {
  const flow = new OrderFlow();
  const windows = new FlowWindows(windowsSeconds);
  return {
    columns: windowsSeconds.map((window) => ({
      name: `ofi_${window}s`,
      unit: "signedLog of a ratio",
      formula: `signedLog(sum of e_n over ${window} s / depth scale), signedLog(x) = sign(x)·ln(1 + 10·|x|)`,
      source: "Cont, Kukanov, Stoikov 2014",
    })),
    warmupMs: warmupOf([DEPTH_SCALE_SECONDS, ...windowsSeconds]),
    onBook({ book }) {
      windows.add(flow.next(book.bids, book.asks));
    },
    onTrade() {},
    write({ book }, _time, out, offset) {
      windows.write(book, out, offset);
    },
    reset() {
      flow.clear();
      windows.clear();
    },
  };
}
