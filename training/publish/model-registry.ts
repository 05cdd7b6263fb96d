/**
 * Which models an instance has and which roles they play: rows of `models`, `model_roles` and `model_log` (workers/storage/schema.ts). Each change is one
 * transaction that ends with its row in the log; what can't be meant is refused, with what to do instead, and changes nothing.
 *
 * Rolling back reads the log backwards: who was active before is what the newest change said it replaced, which may be nobody; changes that were rolled back are passed
 * over. A shadow that was activated is a shadow again when that is rolled back. Where nobody is active, whoever comes next answers: of a market's own that of every
 * market, of forecasts of every market the model that ships with edgebook.
 *
 * One person at a time: a change is judged by what is read just before it.
 */

import { EVERY_MARKET, MAX_SHADOWS, type ModelRole, type ModelSlot, SHIPPED_KEY } from "../../models/roles.ts";
import { CommandError } from "../command-error.ts";
import type { InstanceStore, Row } from "./instance-store.ts";
import { type Sql, sql } from "./sql.ts";

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

export type LogAction = "publish" | "activate" | "deactivate" | "roll-back" | "shadow" | "unshadow" | "promote";

export interface LogEntry {
  readonly sequence: number;
  readonly at: number;
  readonly action: LogAction;
  readonly slot: string | null;
  readonly market: string | null;
  /** Of a change of who is active: null where nobody is any more. */
  readonly model: VersionName | null;
  readonly previous: VersionName | null;
  readonly evidence: unknown;
}

/** Why, in JSON; null where nothing is to be said. */
export type Evidence = Readonly<Record<string, unknown>> | null;

/** A change of who is active. `isNew` is false where it was so already, and nothing was written. */
export interface Activation {
  /** Null: nobody any more. */
  readonly active: StoredVersion | null;
  readonly previous: StoredVersion | null;
  readonly isNew: boolean;
}

/** In the evidence of an activation: it ended its model's shadow role. */
const WAS_SHADOW = "wasShadow";
/** Rows of the log that rolling back looks through. */
const MAX_LOG_ROWS = 10_000;

export class ModelRegistry {
  private readonly store: InstanceStore;
  private readonly now: () => number;

  /** @param now epoch ms */
  constructor(store: InstanceStore, now: () => number) {
    this.store = store;
    this.now = now;
  }

  /** The newest first. */
  async versions(): Promise<StoredVersion[]> {
    const rows = await this.store.select(sql`SELECT ${COLUMNS} FROM models m ORDER BY m.published_at DESC, m.key DESC LIMIT 1000`);
    return rows.map(versionOf);
  }

  /** In the order in which they were given. */
  async roles(): Promise<HeldRole[]> {
    const rows = await this.store.select(
      sql`SELECT r.slot AS slot, r.market AS market, r.role AS role, r.since AS since, ${COLUMNS}
          FROM model_roles r JOIN models m ON m.key = r.model ORDER BY r.since, r.model`,
    );
    return rows.map(roleOf);
  }

  /** The newest first. */
  async log(limit: number): Promise<LogEntry[]> {
    const rows = await this.store.select(
      sql`SELECT l.sequence AS sequence, l.at AS at, l.action AS action, l.slot AS slot, l.market AS market, l.evidence AS evidence, m.id AS id,
          m.version AS version, p.id AS previousId, p.version AS previousVersion FROM model_log l LEFT JOIN models m ON m.key = l.model
          LEFT JOIN models p ON p.key = l.previous ORDER BY l.sequence DESC LIMIT ${limit}`,
    );
    return rows.map(entryOf);
  }

  /** @throws CommandError where it was never published. */
  async version({ id, version }: VersionName): Promise<StoredVersion> {
    const found = await this.find({ id, version });
    if (found !== null) return found;
    throw new CommandError(
      `${id} ${version} was never published here: \`edgebook models list\` shows what was, \`edgebook publish --dir DIR\` publishes more`,
    );
  }

  async active(seat: Seat): Promise<StoredVersion | null> {
    return activeOf(await this.roles(), seat);
  }

  /** Keeps what was said of it before, where that is the same. The files are in the bucket by then. */
  async register(facts: VersionFacts, evidence: Evidence): Promise<StoredVersion> {
    const before = await this.find(facts);
    if (before === null || !isSame(before, facts)) {
      const { id, version, manifestSha256, family, featureSet, fingerprint, label, bytes } = facts;
      const at = this.now();
      await this.store.execute([
        sql`INSERT INTO models (id, version, manifest_sha256, family, feature_set, fingerprint, label, bytes, published_at)
            VALUES (${id}, ${version}, ${manifestSha256}, ${family}, ${featureSet}, ${fingerprint}, ${label}, ${bytes}, ${at})
            ON CONFLICT (id, version) DO UPDATE SET manifest_sha256 = excluded.manifest_sha256, family = excluded.family,
            feature_set = excluded.feature_set, fingerprint = excluded.fingerprint, label = excluded.label, bytes = excluded.bytes,
            published_at = excluded.published_at`,
        logged(at, {
          action: "publish",
          seat: null,
          model: sql`(SELECT key FROM models WHERE id = ${id} AND version = ${version})`,
          previous: null,
          evidence: { manifestSha256, ...evidence },
        }),
      ]);
    }
    return this.version(facts);
  }

  async activate(name: VersionName, seat: Seat, why: { action: "activate" | "promote"; evidence: Evidence }): Promise<Activation> {
    const model = await this.version(name);
    const roles = await this.roles();
    const previous = activeOf(roles, seat);
    if (previous?.key === model.key) return { active: model, previous, isNew: false };
    const evidence = isShadow(roles, seat, model.key) ? { ...why.evidence, [WAS_SHADOW]: true } : why.evidence;
    await this.seatActive(model, previous, { seat, action: why.action, evidence });
    return { active: model, previous, isNew: true };
  }

  /** Nobody is active there any more. */
  async deactivate(seat: Seat, evidence: Evidence): Promise<Activation> {
    const previous = await this.active(seat);
    if (previous === null) throw new CommandError(`no model is active for ${said(seat)}: \`edgebook models list\` shows who is where`);
    await this.seatActive(null, previous, { seat, action: "deactivate", evidence });
    return { active: null, previous, isNew: true };
  }

  /** Who was active before the newest change is so again; nobody, where it was nobody. */
  async rollBack(seat: Seat, evidence: Evidence): Promise<Activation> {
    const roles = await this.roles();
    const left = activeOf(roles, seat);
    const undone = undoneBy(await this.changes(seat));
    if (undone === null) {
      throw new CommandError(
        left === null
          ? `no model was ever active for ${said(seat)}: activate one with \`edgebook models activate ID VERSION\``
          : `of ${said(seat)} nothing is left to go back to: \`edgebook models list\` shows which could be activated, \`edgebook models deactivate\` leaves none active`,
      );
    }
    const before = undone.previous === null ? null : await this.versionAt(undone.previous);
    const shadow = undone.wasShadow && left !== null && !isFull(roles, seat) ? left : null;
    const noted = undone.wasShadow && shadow === null ? { ...evidence, shadowNotRestored: `${MAX_SHADOWS} are shadows already` } : evidence;
    await this.seatActive(before, left, { seat, action: "roll-back", evidence: noted, shadow });
    return { active: before, previous: left, isNew: true };
  }

  /** @returns false where it is one already. */
  async shadow(name: VersionName, seat: Seat, evidence: Evidence): Promise<boolean> {
    const model = await this.version(name);
    const roles = await this.roles();
    if (isShadow(roles, seat, model.key)) return false;
    const active = activeOf(roles, seat) ?? activeOf(roles, { ...seat, market: EVERY_MARKET });
    if (active?.key === model.key)
      throw new CommandError(
        `${model.id} ${model.version} is active for ${said(seat)}, and can't be its own shadow: activate another one first`,
      );
    refuseTooMany(roles, seat);
    const at = this.now();
    await this.store.execute([
      sql`INSERT OR REPLACE INTO model_roles (slot, market, model, role, since) VALUES (${seat.slot}, ${seat.market}, ${model.key}, ${"shadow"}, ${at})`,
      logged(at, { action: "shadow", seat, model: model.key, previous: active?.key ?? null, evidence }),
    ]);
    return true;
  }

  async unshadow(name: VersionName, seat: Seat, evidence: Evidence): Promise<void> {
    const model = await this.version(name);
    const shadows = (await this.roles()).filter((role) => isAt(role, seat) && role.role === "shadow");
    if (!shadows.some((role) => role.model.key === model.key)) {
      throw new CommandError(`${model.id} ${model.version} is no shadow for ${said(seat)}: those are ${namesOf(shadows)}`);
    }
    await this.store.execute([
      sql`DELETE FROM model_roles WHERE slot = ${seat.slot} AND market = ${seat.market} AND model = ${model.key} AND role = ${"shadow"}`,
      logged(this.now(), { action: "unshadow", seat, model: model.key, previous: null, evidence }),
    ]);
  }

  private async find({ id, version }: VersionName): Promise<StoredVersion | null> {
    const [row] = await this.store.select(sql`SELECT ${COLUMNS} FROM models m WHERE m.id = ${id} AND m.version = ${version}`);
    return row === undefined ? null : versionOf(row);
  }

  private async versionAt(key: number): Promise<StoredVersion | null> {
    const [row] = await this.store.select(sql`SELECT ${COLUMNS} FROM models m WHERE m.key = ${key}`);
    return row === undefined ? null : versionOf(row);
  }

  /** Of who is active there, the newest first. */
  private async changes({ slot, market }: Seat): Promise<ActiveChange[]> {
    const rows = await this.store.select(
      sql`SELECT action, previous, evidence FROM model_log WHERE slot = ${slot} AND market = ${market}
          AND action IN (${"activate"}, ${"promote"}, ${"deactivate"}, ${"roll-back"}) ORDER BY sequence DESC LIMIT ${MAX_LOG_ROWS}`,
    );
    return rows.map(({ action, previous, evidence }) => ({
      action: String(action),
      previous: previous === null ? null : Number(previous),
      wasShadow: typeof evidence === "string" && sayShadow(readEvidence(evidence)),
    }));
  }

  /** @param model null: nobody. */
  private async seatActive(
    model: StoredVersion | null,
    previous: StoredVersion | null,
    { seat, action, evidence, shadow = null }: { seat: Seat; action: LogAction; evidence: Evidence; shadow?: StoredVersion | null },
  ): Promise<void> {
    const { slot, market } = seat;
    const at = this.now();
    const seated = (key: number, role: ModelRole): Sql =>
      sql`INSERT OR REPLACE INTO model_roles (slot, market, model, role, since) VALUES (${slot}, ${market}, ${key}, ${role}, ${at})`;
    await this.store.execute([
      sql`DELETE FROM model_roles WHERE slot = ${slot} AND market = ${market} AND role = ${"active"}`,
      ...(shadow === null ? [] : [seated(shadow.key, "shadow")]),
      ...(model === null ? [] : [seated(model.key, "active")]),
      logged(at, { action, seat, model: model?.key ?? SHIPPED_KEY, previous: previous?.key ?? null, evidence }),
    ]);
  }
}

/** A change of who is active at one seat, as the log has it. */
export interface ActiveChange {
  readonly action: string;
  readonly previous: number | null;
  /** Who was activated had been a shadow there until then. */
  readonly wasShadow: boolean;
}

/**
 * The log read backwards: each roll-back passes over one change before it.
 * @returns the change that is to be undone next; null where there is none.
 */
export function undoneBy(newestFirst: readonly ActiveChange[]): ActiveChange | null {
  let undone = 0;
  for (const change of newestFirst) {
    if (change.action === "roll-back") undone++;
    else if (undone > 0) undone--;
    else return change;
  }
  return null;
}

/** `forecasts of every market`, `signals of bitmex:XBTUSD`. */
export function said({ slot, market }: Seat): string {
  return `${slot}s of ${market === EVERY_MARKET ? "every market" : market}`;
}

const COLUMNS = sql`m.key AS key, m.id AS id, m.version AS version, m.manifest_sha256 AS manifestSha256, m.family AS family,
  m.feature_set AS featureSet, m.fingerprint AS fingerprint, m.label AS label, m.bytes AS bytes, m.published_at AS publishedAt`;

interface Change {
  readonly action: LogAction;
  readonly seat: Seat | null;
  readonly model: number | Sql;
  readonly previous: number | null;
  readonly evidence: Evidence;
}

function logged(at: number, { action, seat, model, previous, evidence }: Change): Sql {
  const text = evidence === null ? null : JSON.stringify(evidence);
  return sql`INSERT INTO model_log (at, action, slot, market, model, previous, evidence)
    VALUES (${at}, ${action}, ${seat?.slot ?? null}, ${seat?.market ?? null}, ${model}, ${previous}, ${text})`;
}

function isAt(role: Seat, { slot, market }: Seat): boolean {
  return role.slot === slot && role.market === market;
}

function activeOf(roles: readonly HeldRole[], seat: Seat): StoredVersion | null {
  return roles.find((role) => isAt(role, seat) && role.role === "active")?.model ?? null;
}

function isShadow(roles: readonly HeldRole[], seat: Seat, key: number): boolean {
  return roles.some((role) => isAt(role, seat) && role.role === "shadow" && role.model.key === key);
}

/** Written by hand it may be anything. */
function sayShadow(evidence: unknown): boolean {
  return typeof evidence === "object" && evidence !== null && WAS_SHADOW in evidence && evidence[WAS_SHADOW] === true;
}

/** Whether one more shadow would be too many. */
function isFull(roles: readonly HeldRole[], seat: Seat): boolean {
  return fullest(roles, seat) !== null;
}

function refuseTooMany(roles: readonly HeldRole[], seat: Seat): void {
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

function namesOf(roles: readonly HeldRole[]): string {
  return roles.map(({ model }) => `${model.id} ${model.version}`).join(", ") || "none";
}

function isSame(stored: StoredVersion, { manifestSha256, bytes }: VersionFacts): boolean {
  return stored.manifestSha256 === manifestSha256 && stored.bytes === bytes;
}

function versionOf(row: Row): StoredVersion {
  const { key, id, version, manifestSha256, family, featureSet, fingerprint, label, bytes, publishedAt } = row;
  return {
    key: Number(key),
    id: String(id),
    version: String(version),
    manifestSha256: String(manifestSha256),
    family: String(family),
    featureSet: String(featureSet),
    fingerprint: String(fingerprint),
    label: String(label),
    bytes: Number(bytes),
    publishedAt: Number(publishedAt),
  };
}

function roleOf(row: Row): HeldRole {
  const { slot, market, role, since } = row;
  return { slot: slot as ModelSlot, market: String(market), role: role as ModelRole, since: Number(since), model: versionOf(row) };
}

function entryOf(row: Row): LogEntry {
  const { sequence, at, action, slot, market, id, version, previousId, previousVersion, evidence } = row;
  const nameOf = (one: unknown, other: unknown): VersionName | null =>
    typeof one === "string" && typeof other === "string" ? { id: one, version: other } : null;
  return {
    sequence: Number(sequence),
    at: Number(at),
    action: action as LogAction,
    slot: typeof slot === "string" ? slot : null,
    market: typeof market === "string" ? market : null,
    model: nameOf(id, version),
    previous: nameOf(previousId, previousVersion),
    evidence: typeof evidence === "string" ? readEvidence(evidence) : null,
  };
}

/** Written by hand it may be anything. */
function readEvidence(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
