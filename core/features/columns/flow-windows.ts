/**
 * A flow of lots, second by second, read over windows of some seconds: divided by the depth scale, its tails pulled in by signedLog.
 * What flows (orders, trades) is its owner's business.
 */

import type { OrderBook } from "../../book/order-book.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import { signedLog } from "../../math/signed-log.ts";
import { DepthScale } from "./depth-scale.ts";

export class FlowWindows {
  private readonly scale = new DepthScale();
  private readonly windowsSeconds: readonly number[];
  private readonly seconds: RingBuffer;
  private lotsThisSecond = 0;

  constructor(windowsSeconds: readonly number[]) {
    this.windowsSeconds = windowsSeconds;
    this.seconds = new RingBuffer(Math.max(...windowsSeconds));
  }

  /** @param lots signed, buy pressure positive. Sums are integers, exact while below 2^53. */
  add(lots: number): void {
    this.lotsThisSecond += lots;
  }

  /** Ends the second and writes one column a window into out[offset, …). */
  write(book: OrderBook, out: Float64Array, offset: number): void {
    const usual = this.scale.measure(book);
    this.seconds.push(this.lotsThisSecond);
    this.lotsThisSecond = 0;
    for (let index = 0; index < this.windowsSeconds.length; index++) {
      out[offset + index] = signedLog(this.seconds.sumOfLast(this.windowsSeconds[index] as number) / usual);
    }
  }

  clear(): void {
    this.scale.clear();
    this.seconds.clear();
    this.lotsThisSecond = 0;
  }
}
