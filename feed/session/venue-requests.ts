/**
 * REST requests of one feed to its venue, within the budget that it shares with the others of its process, and silent for as long as the venue asks.
 */

import type { VenueLimits, VenueRequest } from "../../exchanges/contract.ts";
import type { SessionPort } from "./session-port.ts";
import { answerText, isBlocked, isRefused, isSuccess, retryAfterMs, usedWeight } from "./venue-answers.ts";
import type { VenueBudget } from "./venue-budget.ts";

export type RequestResult =
  | { readonly ok: true; readonly body: string }
  | { readonly ok: false; readonly isBlocked: boolean; readonly isRefused: boolean; readonly detail: string };

export class VenueRequests {
  private readonly port: SessionPort;
  private readonly budget: VenueBudget;
  private readonly limits: VenueLimits;

  constructor(port: SessionPort, budget: VenueBudget, limits: VenueLimits) {
    this.port = port;
    this.budget = budget;
    this.limits = limits;
  }

  /** Whether a request of this weight may be made now. */
  mayAsk(weight: number): boolean {
    return this.budget.mayAsk(this.port.now(), weight);
  }

  ask(request: VenueRequest, answered: (result: RequestResult) => void): void {
    this.budget.spend(this.port.now(), request.weight);
    this.port.request(request, (answer) => {
      const now = this.port.now();
      const used = usedWeight(answer, this.limits.usedWeightHeader);
      if (used !== null) this.budget.told(now, used);
      if (isSuccess(answer)) {
        answered({ ok: true, body: answer.body });
        return;
      }
      const wait = retryAfterMs(answer, now);
      if (wait > 0) this.budget.hold(now + wait);
      answered({ ok: false, isBlocked: isBlocked(answer), isRefused: isRefused(answer), detail: answerText(answer) });
    });
  }
}
