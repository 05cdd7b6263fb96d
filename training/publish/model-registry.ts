/**
 * Which models an instance has and which roles they play: rows of `models`, `model_roles` and `model_log` (workers/storage/schema.ts). Each change is one
 * transaction that ends with its row in the log; what can't be meant is refused, with what to do instead, and changes nothing.
 *
 * Rolling back reads the log backwards: the active model before the present one is what the activation said it replaced; activations that were rolled
 * back are passed over.
 *
 * One person at a time: a change is judged by what is read just before it.
 */

import { EVERY_MARKET, MAX_SHADOWS, type ModelRole, type ModelSlot } from "../../models/roles.ts";
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

export type LogAction = "publish" | "activate" | "roll-back" | "shadow" | "unshadow" | "promote";

export interface LogEntry {
  readonly sequence: number;
  readonly at: number;
  readonly action: LogAction;
  readonly slot: string | null;
  readonly market: string | null;
  readonly model: VersionName | null;
  readonly previous: VersionName | null;
  readonly evidence: unknown;
}

/** Why, in JSON; null where nothing is to be said. */
export type Evidence = Readonly<Record<string, unknown>> | null;

/** A change of who is active. `isNew` is false where it was so already, and nothing was written. */
export interface Activation {
  readonly active: StoredVersion;
  readonly previous: StoredVersion | null;
  readonly isNew: boolean;
}

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
    const previous = await this.active(seat);
    if (previous?.key === model.key) return { active: model, previous, isNew: false };
    await this.seatActive(model, previous, { seat, ...why });
    return { active: model, previous, isNew: true };
  }

  /** The model that was active before the present one is so again. */
  async rollBack(seat: Seat, evidence: Evidence): Promise<Activation> {
    const left = await this.active(seat);
    if (left === null)
      throw new CommandError(`no model is active for ${said(seat)}: activate one with \`edgebook models activate ID VERSION\``);
    const before = await this.before(seat);
    if (before === null) {
      throw new CommandError(
        `no model was active for ${said(seat)} before ${left.id} ${left.version}: \`edgebook models list\` shows which could be activated`,
      );
    }
    await this.seatActive(before, left, { seat, action: "roll-back", evidence });
    return { active: before, previous: left, isNew: true };
  }

  /** @returns false where it is one already. */
  async shadow(name: VersionName, seat: Seat, evidence: Evidence): Promise<boolean> {
    const model = await this.version(name);
    const roles = await this.roles();
    if (roles.some((role) => isAt(role, seat) && role.role === "shadow" && role.model.key === model.key)) return false;
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

  /** Of the present active model's seat. */
  private async before({ slot, market }: Seat): Promise<StoredVersion | null> {
    const rows = await this.store.select(
      sql`SELECT action, previous FROM model_log WHERE slot = ${slot} AND market = ${market}
          AND action IN (${"activate"}, ${"promote"}, ${"roll-back"}) ORDER BY sequence DESC LIMIT ${MAX_LOG_ROWS}`,
    );
    const key = previousOf(
      rows.map(({ action, previous }) => ({ action: String(action), previous: previous === null ? null : Number(previous) })),
    );
    if (key === null) return null;
    const [row] = await this.store.select(sql`SELECT ${COLUMNS} FROM models m WHERE m.key = ${key}`);
    return row === undefined ? null : versionOf(row);
  }

  private async seatActive(
    model: StoredVersion,
    previous: StoredVersion | null,
    { seat, action, evidence }: { seat: Seat; action: LogAction; evidence: Evidence },
  ): Promise<void> {
    const { slot, market } = seat;
    const at = this.now();
    await this.store.execute([
      sql`DELETE FROM model_roles WHERE slot = ${slot} AND market = ${market} AND role = ${"active"}`,
      sql`INSERT OR REPLACE INTO model_roles (slot, market, model, role, since) VALUES (${slot}, ${market}, ${model.key}, ${"active"}, ${at})`,
      logged(at, { action, seat, model: model.key, previous: previous?.key ?? null, evidence }),
    ]);
  }
}

/**
 * The log read backwards, the newest first: each roll-back passes over one activation before it.
 * @returns the key of who was active before the present one; null where nobody was.
 */
export function previousOf(newestFirst: readonly { readonly action: string; readonly previous: number | null }[]): number | null {
  let undone = 0;
  for (const { action, previous } of newestFirst) {
    if (action === "roll-back") undone++;
    else if (undone > 0) undone--;
    else return previous;
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

/** Of a market its own are asked beside those of every market: one more must still be asked wherever it would be. */
function refuseTooMany(roles: readonly HeldRole[], seat: Seat): void {
  const shadows = roles.filter(({ slot, role }) => slot === seat.slot && role === "shadow");
  const everywhere = shadows.filter(({ market }) => market === EVERY_MARKET);
  const own = new Map<string, HeldRole[]>();
  for (const shadow of shadows) {
    if (shadow.market !== EVERY_MARKET) own.set(shadow.market, [...(own.get(shadow.market) ?? []), shadow]);
  }
  const touched = seat.market === EVERY_MARKET ? [[], ...own.values()] : [own.get(seat.market) ?? []];
  for (const ofMarket of touched) {
    const asked = [...ofMarket, ...everywhere];
    if (asked.length < MAX_SHADOWS) continue;
    const market = ofMarket[0]?.market ?? seat.market;
    throw new CommandError(
      `${said({ ...seat, market })} have ${asked.length} shadows already, and ${MAX_SHADOWS} are asked at most: \`edgebook models unshadow\` one of ${namesOf(asked)}`,
    );
  }
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
