/**
 * Who answers for a market: its own active model, or that of every market where it has none; and beside it the shadows of the market, then those of
 * every market, MAX_SHADOWS in all. A model that is active there is no shadow there. Pure: whoever gathers the rows and whoever runs the models ask
 * the same function.
 */

import { EVERY_MARKET, MAX_SHADOWS, type ModelRole, type ModelSlot } from "./contract.ts";

/** What decides of a role; RosterRole is one. */
export interface Playing {
  readonly slot: ModelSlot;
  readonly market: string;
  readonly role: ModelRole;
  readonly key: number;
}

export interface RolesOfMarket<R> {
  readonly active: R | null;
  /** In the order in which they are asked. */
  readonly shadows: readonly R[];
}

export function rolesFor<R extends Playing>(roles: readonly R[], slot: ModelSlot, market: string): RolesOfMarket<R> {
  const inSlot = roles.filter((role) => role.slot === slot);
  const candidates = [...inSlot.filter((role) => role.market === market), ...inSlot.filter((role) => role.market === EVERY_MARKET)];
  const active = candidates.find(({ role }) => role === "active") ?? null;
  const taken = new Set<number>(active === null ? [] : [active.key]);
  const shadows: R[] = [];
  for (const candidate of candidates) {
    if (candidate.role !== "shadow" || taken.has(candidate.key) || shadows.length >= MAX_SHADOWS) continue;
    taken.add(candidate.key);
    shadows.push(candidate);
  }
  return { active, shadows };
}
