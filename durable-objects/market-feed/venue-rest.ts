/**
 * REST requests of one feed to its venue, within the budget that it shares with the others of this process, and silent for as long as the venue asks.
 *
 * Bodies are read by .text(): a streaming subrequest beside an outgoing socket can kill that socket.
 */

import type { VenueRequest } from "../../exchanges/contract.ts";
import type { RequestBudget } from "./request-budget.ts";
import { retryAfterMs } from "./venue-socket.ts";

const REQUEST_TIMEOUT_MS = 10_000;
/** A 5,000-level Binance snapshot is some 350 kB; more than this is no answer to what was asked. */
const MAX_BODY_CHARACTERS = 16_000_000;
export type RestResult = { ok: true; body: string } | { ok: false; isBlocked: boolean; detail: string };

export interface VenueRestOptions {
  readonly budget: RequestBudget;
  /** The answer's header that says what of the budget has been used; null where there is none. */
  readonly usedWeightHeader: string | null;
}

export class VenueRest {
  private readonly budget: RequestBudget;
  private readonly usedWeightHeader: string | null;

  constructor({ budget, usedWeightHeader }: VenueRestOptions) {
    this.budget = budget;
    this.usedWeightHeader = usedWeightHeader;
  }

  /** Whether a request of this weight may be made now. */
  mayAsk(now: number, weight: number): boolean {
    return this.budget.mayAsk(now, weight);
  }

  /** Never throws: a failed request is a result. */
  async ask(request: VenueRequest): Promise<RestResult> {
    this.budget.spend(Date.now(), request.weight);
    try {
      const response = await fetch(request.url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
      this.readUsedWeight(response);
      // Of a compressed answer it is the compressed length: what passes here is measured again below.
      const told = Number(response.headers.get("Content-Length") ?? 0);
      if (told > MAX_BODY_CHARACTERS) {
        await response.body?.cancel();
        return { ok: false, isBlocked: false, detail: `a body of ${told} bytes` };
      }
      const body = await response.text();
      if (response.ok && body.length <= MAX_BODY_CHARACTERS) return { ok: true, body };
      const wait = retryAfterMs(response);
      if (wait > 0) this.budget.hold(Date.now() + wait);
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

  private readUsedWeight(response: Response): void {
    const told = this.usedWeightHeader === null ? null : response.headers.get(this.usedWeightHeader);
    const used = Number(told ?? Number.NaN);
    if (Number.isFinite(used) && used >= 0) this.budget.told(Date.now(), used);
  }
}
