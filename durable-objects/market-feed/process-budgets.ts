/** The budgets of this process, one a venue: its feeds share an address, in whichever of its objects they are. */

import type { VenueLimits } from "../../exchanges/contract.ts";
import { VenueBudget } from "../../feed/session/venue-budget.ts";

/** By venue and limits: there are as many as there are adapters. */
export const processBudgets = new Map<string, VenueBudget>();

/** The one budget of this process for a venue. */
export function sharedBudget(venue: string, limits: Pick<VenueLimits, "weightPerMinute" | "dials">): VenueBudget {
  const { weightPerMinute, dials } = limits;
  const key = `${venue} ${weightPerMinute} ${dials.most} ${dials.withinMs}`;
  const known = processBudgets.get(key);
  if (known !== undefined) return known;
  const budget = new VenueBudget(limits);
  processBudgets.set(key, budget);
  return budget;
}
