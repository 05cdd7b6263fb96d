/**
 * Subscriptions that the venue has refused on the present connection, and when each is asked for again: ever later, first after some seconds, at last
 * each five minutes, for as long as it is refused. So a market that the venue doesn't give is no silent one, and nobody is hammered for it.
 */

import { MS_PER_MINUTE, MS_PER_SECOND } from "../../core/units/time.ts";
import type { Channel, Subscription } from "../../exchanges/contract.ts";

const FIRST_RETRY_MS = 5 * MS_PER_SECOND;
const LAST_RETRY_MS = 5 * MS_PER_MINUTE;

interface Refused extends Subscription {
  /** How long it waits after the next refusal. */
  waitMs: number;
  retryAt: number;
  /** It has been refused, and not been asked for since. */
  isWaiting: boolean;
}

export class RefusedSubscriptions {
  /** By symbol and channel: as many as the feed's markets have. */
  private readonly refused = new Map<string, Refused>();

  /** @param notBefore the venue wants to be left alone until then. */
  add({ symbol, channel }: Subscription, now: number, notBefore: number): void {
    const known = this.refused.get(keyOf(symbol, channel)) ?? { symbol, channel, waitMs: FIRST_RETRY_MS, retryAt: 0, isWaiting: false };
    // One message of ours may be answered by several refusals.
    if (known.isWaiting && now < known.retryAt) return;
    known.retryAt = Math.max(notBefore, now + known.waitMs);
    known.waitMs = Math.min(2 * known.waitMs, LAST_RETRY_MS);
    known.isWaiting = true;
    this.refused.set(keyOf(symbol, channel), known);
  }

  /** Whether it is not to be asked for yet. */
  isHeldBack(symbol: string, channel: Channel, now: number): boolean {
    return now < (this.refused.get(keyOf(symbol, channel))?.retryAt ?? now);
  }

  /** Takes those whose time has come, each once for each refusal. */
  takeDue(now: number): Subscription[] {
    const due = [...this.refused.values()].filter(({ isWaiting, retryAt }) => isWaiting && now >= retryAt);
    for (const each of due) each.isWaiting = false;
    return due;
  }

  /** Another connection: what was refused on the last one says nothing of this one. */
  forget(): void {
    this.refused.clear();
  }
}

function keyOf(symbol: string, channel: Channel): string {
  return `${channel} ${symbol}`;
}
