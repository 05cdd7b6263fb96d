/** One market's quote as a stream: the present one when it differs from the last that was sent. Shared by all clients of the same interval. */

import type { QuoteAnswer } from "../contract.ts";
import type { MarketTracker } from "../market-tracker.ts";
import { quoteAnswer } from "../views.ts";

export class QuoteStream {
  readonly intervalMs: number;
  /** What was sent last; null while there is no quote. */
  text: string | null = null;
  private prices = "";

  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  break(): void {
    this.text = null;
  }

  /** @returns what to send; null when the clients have it, or nothing is known. */
  advance(market: MarketTracker, now: number): string | null {
    const answer = quoteAnswer(market, now);
    if (!answer.ok) {
      this.text = null;
      return null;
    }
    const prices = pricesText(answer);
    if (this.text !== null && prices === this.prices) return null;
    const { source, sequence, receivedAt } = answer;
    this.prices = prices;
    this.text = `{"kind":"quote","market":${JSON.stringify(market.market)},${prices},"source":"${source}","lastSequence":${sequence},"marketTime":${market.marketTime},"receivedAt":${receivedAt}}`;
    return this.text;
  }
}

function pricesText({ bidTicks, bidLots, askTicks, askLots }: QuoteAnswer): string {
  return `"bid":${levelText(bidTicks, bidLots)},"ask":${levelText(askTicks, askLots)}`;
}

/** Null where the side is empty. */
function levelText(priceTicks: number | null, sizeLots: number | null): string {
  return priceTicks === null || sizeLots === null ? "null" : `[${priceTicks},${sizeLots}]`;
}
