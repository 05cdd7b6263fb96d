/**
 * From what the stores say to who plays which role. Pure.
 *
 * A role whose model was refused stays empty, except the active one of forecasts: there the shipped model stands in, and says for whom and why. Where
 * forecasts of every market have no active model at all, it is the shipped one.
 */

import { labelKindOf } from "../../core/labels/moves.ts";
import { ContentHash } from "../../core/math/hash.ts";
import { kindOf, windowOf } from "../../models/shapes.ts";
import {
  EVERY_MARKET,
  type FellBack,
  type ModelClaims,
  type ModelIdentity,
  type ModelRefusal,
  type ModelRole,
  type ModelSlot,
  type ModelView,
  type RefusedRole,
  type Roster,
  type RosterRole,
  SHIPPED_KEY,
} from "./contract.ts";
import { nameOf, type PublishedVersion, SHIPPED_VERSION } from "./version.ts";

/** A role as the database has it. */
export interface AssignedRole {
  readonly slot: ModelSlot;
  readonly market: string;
  readonly role: ModelRole;
  readonly version: PublishedVersion;
}

/** What a version says of itself, or why it can't be served; `isLoaded` where its file was judged too, not its manifest alone. */
export interface Judgement {
  readonly outcome: ModelClaims | ModelRefusal;
  readonly isLoaded: boolean;
}

/** All that is known. */
export interface Findings {
  /** Null where the database never answered. */
  readonly assigned: readonly AssignedRole[] | null;
  /** Why it didn't. */
  readonly unreachable: string;
  /** By nameOf; of shadows those that somebody has asked for. */
  readonly judged: ReadonlyMap<string, Judgement>;
  /** Null as long as it isn't needed. */
  readonly shipped: ModelClaims | ModelRefusal | null;
}

export interface Cast {
  readonly findings: Findings;
  readonly roster: Roster;
  /** Of each model that plays, by its key. */
  readonly views: ReadonlyMap<number, ModelView>;
  readonly versions: ReadonlyMap<number, PublishedVersion>;
  /** Whether every shadow was looked at: those that weren't are in no roster, and nobody's prediction needs them. */
  readonly isWhole: boolean;
}

/** Whether the shipped model has a part to play. */
export function needsShipped({ assigned, judged }: Findings): boolean {
  if (assigned === null) return true;
  const leads = assigned.filter(({ slot, role }) => slot === "forecast" && role === "active");
  return (
    !leads.some(({ market }) => market === EVERY_MARKET) || leads.some(({ version }) => !isClaims(judged.get(nameOf(version))?.outcome))
  );
}

/** @param findings `shipped` is not null where it is needed. */
export function castRoles(findings: Findings): Cast {
  const parts = [...(findings.assigned ?? []).map((role) => partOf(role, findings)), ...defaultPart(findings)];
  const playing = parts.filter((part): part is Playing => "claims" in part);
  const roles = playing.map(({ role, claims, fellBackFrom, version }) => rosterRole(role, { claims, fellBackFrom, version }));
  const refused = parts.filter((part): part is RefusedRole => "fault" in part);
  return {
    findings,
    roster: { revision: revisionOf(parts), roles, refused },
    views: new Map(playing.map(({ claims, version }) => [version.key, { key: version.key, source: sourceOf(version), manifest: claims }])),
    versions: new Map(playing.map(({ version }) => [version.key, version])),
    isWhole: playing.length + refused.length === parts.length,
  };
}

type Assigned = Omit<AssignedRole, "version">;

interface Playing {
  readonly role: Assigned;
  readonly version: PublishedVersion;
  readonly claims: ModelClaims;
  readonly fellBackFrom: FellBack | null;
}

/** A shadow that nobody has looked at yet. */
type Unread = Pick<Playing, "role" | "version">;

function partOf({ version, ...role }: AssignedRole, { judged, shipped }: Findings): Playing | RefusedRole | Unread {
  const judgement = judged.get(nameOf(version));
  if (judgement === undefined && role.role === "shadow") return { role, version };
  const outcome = judgement?.outcome ?? { ok: false, fault: "not-found", detail: "it was never looked at" };
  if (isClaims(outcome)) return { role, version, claims: outcome, fellBackFrom: null };
  const { fault, detail } = outcome;
  const model: ModelIdentity = { key: version.key, id: version.id, version: version.version };
  if (role.slot !== "forecast" || role.role !== "active") return { ...role, ...model, fault, detail };
  if (isClaims(shipped)) return { role, version: SHIPPED_VERSION, claims: shipped, fellBackFrom: { fault, detail, model } };
  return { ...role, ...model, fault, detail: `${detail}; ${sayShipped(shipped)}` };
}

/** Where nobody leads forecasts of every market. */
function defaultPart({ assigned, unreachable, shipped }: Findings): (Playing | RefusedRole)[] {
  const isLed = assigned?.some(({ slot, market, role }) => slot === "forecast" && market === EVERY_MARKET && role === "active") ?? false;
  if (isLed) return [];
  const role: Assigned = { slot: "forecast", market: EVERY_MARKET, role: "active" };
  const why: FellBack =
    assigned === null
      ? { fault: "store-unreachable", detail: unreachable, model: null }
      : { fault: "never-published", detail: "no published model is active for every market", model: null };
  if (isClaims(shipped)) return [{ role, version: SHIPPED_VERSION, claims: shipped, fellBackFrom: why }];
  const fault = why.fault === "never-published" ? (shipped?.fault ?? why.fault) : why.fault;
  const { key, id, version } = SHIPPED_VERSION;
  return [{ ...role, key, id, version, fault, detail: `${why.detail}; ${sayShipped(shipped)}` }];
}

function sayShipped(shipped: ModelRefusal | null): string {
  return shipped === null ? "the shipped model was not looked at" : `the shipped model: ${shipped.fault}, ${shipped.detail}`;
}

function rosterRole(role: Assigned, { claims, fellBackFrom, version }: Omit<Playing, "role">): RosterRole {
  return {
    ...role,
    key: version.key,
    id: claims.id,
    version: claims.version,
    source: sourceOf(version),
    family: claims.family,
    fingerprint: claims.featureSet.fingerprint,
    featureSet: claims.featureSet.id,
    window: windowOf(claims),
    label: labelKindOf(claims),
    answer: kindOf(claims.output),
    fellBackFrom,
  };
}

function sourceOf({ key }: PublishedVersion): RosterRole["source"] {
  return key === SHIPPED_KEY ? "shipped" : "r2";
}

function isClaims(outcome: ModelClaims | ModelRefusal | null | undefined): outcome is ModelClaims {
  return outcome !== null && outcome !== undefined && !("ok" in outcome);
}

/**
 * Over who plays what, and who was refused. A shadow that wasn't looked at counts as one that plays, so that isolates that have looked and others have one revision. A published manifest's
 * hash is in its name, and its model's in the manifest; the shipped one's name says nothing.
 */
function revisionOf(parts: readonly (Playing | RefusedRole | Unread)[]): string {
  const refused = parts.filter((part): part is RefusedRole => "fault" in part);
  const others = parts.filter((part): part is Playing | Unread => !("fault" in part));
  const hash = new ContentHash().integer(others.length);
  for (const part of others) {
    hash.text(part.role.slot).text(part.role.market).text(part.role.role).text(nameOf(part.version));
    hash.text("claims" in part && part.version.key === SHIPPED_KEY ? part.claims.artifact.sha256 : "");
  }
  for (const { slot, market, role, key } of refused) hash.text(slot).text(market).text(role).integer(key);
  return hash.digest();
}
