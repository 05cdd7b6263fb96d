/** Which versions an instance has, and which seats they hold: what the registry reads, and what can be told from it alone. */

import { EVERY_MARKET, MAX_SHADOWS, type ModelRole, type ModelSlot } from "../../models/roles.ts";
import { CommandError } from "../command-error.ts";

/** For which markets a role is, and in which slot. */
export interface Seat {
  readonly slot: ModelSlot;
  /** `venue:SYMBOL`, or EVERY_MARKET. */
  readonly market: string;
}

export interface VersionName {
  readonly id: string;
  readonly version: string;
}

/** What a manifest says of its version, as the database keeps it. */
export interface VersionFacts extends VersionName {
  readonly manifestSha256: string;
  readonly family: string;
  readonly featureSet: string;
  readonly fingerprint: string;
  readonly label: string;
  readonly bytes: number;
}

export interface StoredVersion extends VersionFacts {
  readonly key: number;
  readonly publishedAt: number;
}

export interface HeldRole extends Seat {
  readonly role: ModelRole;
  readonly since: number;
  readonly model: StoredVersion;
}

/** `forecasts of every market`, `signals of bitmex:XBTUSD`. */
export function said({ slot, market }: Seat): string {
  return `${slot}s of ${market === EVERY_MARKET ? "every market" : market}`;
}

/** The command that undoes a change of who is active there: without the seat it would undo another one's. */
export function wayBack({ slot, market }: Seat): string {
  const ofMarket = market === EVERY_MARKET ? "" : ` --market ${market}`;
  return `edgebook models roll-back${slot === "forecast" ? "" : ` --slot ${slot}`}${ofMarket}`;
}

export function isAt(role: Seat, { slot, market }: Seat): boolean {
  return role.slot === slot && role.market === market;
}

export function activeOf(roles: readonly HeldRole[], seat: Seat): StoredVersion | null {
  return roles.find((role) => isAt(role, seat) && role.role === "active")?.model ?? null;
}

export function isShadow(roles: readonly HeldRole[], seat: Seat, key: number): boolean {
  return roles.some((role) => isAt(role, seat) && role.role === "shadow" && role.model.key === key);
}

/** Whether one more shadow would be too many. */
export function isFull(roles: readonly HeldRole[], seat: Seat): boolean {
  return fullest(roles, seat) !== null;
}

export function refuseTooMany(roles: readonly HeldRole[], seat: Seat): void {
  const full = fullest(roles, seat);
  if (full === null) return;
  const { market, asked } = full;
  throw new CommandError(
    `${said({ ...seat, market })} have ${asked.length} shadows already, and ${MAX_SHADOWS} are asked at most: \`edgebook models unshadow\` one of ${namesOf(asked)}`,
  );
}

/**
 * Of a market its own are asked beside those of every market: one more must still be asked wherever it would be.
 * @returns where it wouldn't, and who is asked there.
 */
function fullest(roles: readonly HeldRole[], seat: Seat): { readonly market: string; readonly asked: readonly HeldRole[] } | null {
  const shadows = roles.filter(({ slot, role }) => slot === seat.slot && role === "shadow");
  const everywhere = shadows.filter(({ market }) => market === EVERY_MARKET);
  const own = new Map<string, HeldRole[]>();
  for (const shadow of shadows) {
    if (shadow.market !== EVERY_MARKET) own.set(shadow.market, [...(own.get(shadow.market) ?? []), shadow]);
  }
  const touched = seat.market === EVERY_MARKET ? [[], ...own.values()] : [own.get(seat.market) ?? []];
  for (const ofMarket of touched) {
    const asked = [...ofMarket, ...everywhere];
    if (asked.length >= MAX_SHADOWS) return { market: ofMarket[0]?.market ?? seat.market, asked };
  }
  return null;
}

export function namesOf(roles: readonly HeldRole[]): string {
  return roles.map(({ model }) => `${model.id} ${model.version}`).join(", ") || "none";
}
