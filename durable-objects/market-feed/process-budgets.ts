/** The budgets of this process, one a venue: its feeds share an address, in whichever of its objects they are. */

import type { VenueLimits } from "../../exchanges/contract.ts";
import { RequestBudget } from "../../feed/session/request-budget.ts";

/** By venue and limits: there are as many as there are adapters. */
export const processBudgets = new Map<string, RequestBudget>();

/** The one budget of this process for a venue. */
export function sharedBudget(venue: string, { weightPerMinute }: Pick<VenueLimits, "weightPerMinute">): RequestBudget {
  const key = `${venue} ${weightPerMinute}`;
  const known = processBudgets.get(key);
  if (known !== undefined) return known;
  const budget = new RequestBudget(weightPerMinute);
  processBudgets.set(key, budget);
  return budget;
}
