/**
 * REST requests of one feed to its venue: one at a time, within the venue's weight per minute, and silent for as long as it asks.
 *
 * Bodies are read by .text(): a streaming subrequest beside an outgoing socket can kill that socket.
 */

import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { VenueRequest } from "../../exchanges/contract.ts";
import { retryAfterMs } from "./venue-socket.ts";

const REQUEST_TIMEOUT_MS = 10_000;
/** A 5,000-level Binance snapshot is some 350 kB; more than this is no answer to what was asked. */
const MAX_BODY_CHARACTERS = 16_000_000;
/** The share of the venue's budget that one feed takes: 21 Binance snapshots a minute, and something is left for others behind the same address. */
const BUDGET_SHARE = 0.9;

export type RestResult = { ok: true; body: string } | { ok: false; isBlocked: boolean; detail: string };

export class VenueRest {
  private readonly weightPerMinute: number;
  private notBefore = 0;
  private spent: { at: number; weight: number }[] = [];

  constructor(weightPerMinute: number) {
    this.weightPerMinute = weightPerMinute * BUDGET_SHARE;
  }

  /** Whether a request of this weight may be made now. */
  mayAsk(now: number, weight: number): boolean {
    this.spent = this.spent.filter((entry) => entry.at > now - MS_PER_MINUTE);
    const used = this.spent.reduce((sum, entry) => sum + entry.weight, 0);
    return now >= this.notBefore && (used === 0 || used + weight <= this.weightPerMinute);
  }

  /** Never throws: a failed request is a result. */
  async ask(request: VenueRequest): Promise<RestResult> {
    this.spent.push({ at: Date.now(), weight: request.weight });
    try {
      const response = await fetch(request.url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
      // Of a compressed answer it is the compressed length: what passes here is measured again below.
      const told = Number(response.headers.get("Content-Length") ?? 0);
      if (told > MAX_BODY_CHARACTERS) {
        await response.body?.cancel();
        return { ok: false, isBlocked: false, detail: `a body of ${told} bytes` };
      }
      const body = await response.text();
      if (response.ok && body.length <= MAX_BODY_CHARACTERS) return { ok: true, body };
      const wait = retryAfterMs(response);
      if (wait > 0) this.notBefore = Date.now() + wait;
      const isBlocked = response.status === 451 || response.status === 403;
      return {
        ok: false,
        isBlocked,
        detail: response.ok ? `a body of ${body.length} characters` : `${response.status}: ${body.slice(0, 200)}`,
      };
    } catch (error) {
      return { ok: false, isBlocked: false, detail: error instanceof Error ? error.message : String(error) };
    }
  }
}
