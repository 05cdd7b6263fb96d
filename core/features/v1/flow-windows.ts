/**
 * A flow of lots, second by second, read over the windows of this feature set: divided by the depth scale, its tails pulled in by signedLog.
 * What flows (orders, trades) is its owner's business.
 */

import type { OrderBook } from "../../book/order-book.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import { signedLog } from "../../math/signed-log.ts";
import { DepthScale } from "./depth-scale.ts";
import { FLOW_WINDOWS_SECONDS, LONGEST_FLOW_WINDOW_SECONDS } from "./windows.ts";

export class FlowWindows {
  private readonly scale = new DepthScale();
  private readonly seconds = new RingBuffer(LONGEST_FLOW_WINDOW_SECONDS);
  private lotsThisSecond = 0;

  /** @param lots signed, buy pressure positive. Sums are integers, exact while below 2^53. */
  add(lots: number): void {
    this.lotsThisSecond += lots;
  }

  /** Ends the second and writes one column a window into out[offset, …). */
  write(book: OrderBook, out: Float64Array, offset: number): void {
    const usual = this.scale.measure(book);
    this.seconds.push(this.lotsThisSecond);
    this.lotsThisSecond = 0;
    for (let index = 0; index < FLOW_WINDOWS_SECONDS.length; index++) {
      out[offset + index] = signedLog(this.seconds.sumOfLast(FLOW_WINDOWS_SECONDS[index] as number) / usual);
    }
  }

  clear(): void {
    this.scale.clear();
    this.seconds.clear();
    this.lotsThisSecond = 0;
  }
}
