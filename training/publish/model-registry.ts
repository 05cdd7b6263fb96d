/**
 * Which models an instance has and which roles they play: rows of `models`, `model_roles` and `model_log` (workers/storage/schema.ts). Each change is one
 * transaction that ends with its row in the log; what can't be meant is refused, with what to do instead, and changes nothing.
 *
 * A shadow that was activated is a shadow again when that is rolled back. Where nobody is active, whoever comes next answers: of a market's own that of every market,
 * of forecasts of every market the model that ships with edgebook.
 *
 * A change is judged by what is read just before it. Where somebody else changed something in between, the row of the log that it was to write is there already:
 * the transaction fails, and the change is refused.
 */

import { EVERY_MARKET, MAX_SHADOWS, type ModelRole, SHIPPED_KEY } from "../../models/roles.ts";
import { CommandError } from "../command-error.ts";
import {
  activeOf,
  type HeldRole,
  isAt,
  isFull,
  isShadow,
  namesOf,
  refuseTooMany,
  type Seat,
  type StoredVersion,
  said,
  type VersionFacts,
  type VersionName,
} from "./held-roles.ts";
import type { InstanceStore } from "./instance-store.ts";
import {
  type ActiveChange,
  changeOf,
  type Evidence,
  entryOf,
  type LogAction,
  type LogEntry,
  logged,
  undoneBy,
  WAS_SHADOW,
} from "./role-log.ts";
import { type Sql, sql } from "./sql.ts";
import { roleOf, VERSION_COLUMNS, versionOf } from "./version-rows.ts";

/** A change of who is active. `isNew` is false where it was so already, and nothing was written. */
export interface Activation {
  /** Null: nobody any more. */
  readonly active: StoredVersion | null;
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
    const rows = await this.store.select(sql`SELECT ${VERSION_COLUMNS} FROM models m ORDER BY m.published_at DESC, m.key DESC LIMIT 1000`);
    return rows.map(versionOf);
  }

  /** In the order in which they were given. */
  async roles(): Promise<HeldRole[]> {
    const rows = await this.store.select(
      sql`SELECT r.slot AS slot, r.market AS market, r.role AS role, r.since AS since, ${VERSION_COLUMNS}
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
      await this.write([
        sql`INSERT INTO models (id, version, manifest_sha256, family, feature_set, fingerprint, label, bytes, published_at)
            VALUES (${id}, ${version}, ${manifestSha256}, ${family}, ${featureSet}, ${fingerprint}, ${label}, ${bytes}, ${at})
            ON CONFLICT (id, version) DO UPDATE SET manifest_sha256 = excluded.manifest_sha256, family = excluded.family,
            feature_set = excluded.feature_set, fingerprint = excluded.fingerprint, label = excluded.label, bytes = excluded.bytes,
            published_at = excluded.published_at`,
        logged(at, {
          // It takes nobody's role, and so nobody else's change is in its way.
          sequence: null,
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
    const sequence = await this.nextSequence();
    const model = await this.version(name);
    const roles = await this.roles();
    const previous = activeOf(roles, seat);
    if (previous?.key === model.key) return { active: model, previous, isNew: false };
    const evidence = isShadow(roles, seat, model.key) ? { ...why.evidence, [WAS_SHADOW]: true } : why.evidence;
    await this.seatActive(model, previous, { sequence, seat, action: why.action, evidence });
    return { active: model, previous, isNew: true };
  }

  /** Nobody is active there any more. */
  async deactivate(seat: Seat, evidence: Evidence): Promise<Activation> {
    const sequence = await this.nextSequence();
    const previous = await this.active(seat);
    if (previous === null) throw new CommandError(`no model is active for ${said(seat)}: \`edgebook models list\` shows who is where`);
    await this.seatActive(null, previous, { sequence, seat, action: "deactivate", evidence });
    return { active: null, previous, isNew: true };
  }

  /** Who was active before the newest change is so again; nobody, where it was nobody. */
  async rollBack(seat: Seat, evidence: Evidence): Promise<Activation> {
    const sequence = await this.nextSequence();
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
    await this.seatActive(before, left, { sequence, seat, action: "roll-back", evidence: noted, shadow });
    return { active: before, previous: left, isNew: true };
  }

  /** @returns false where it is one already. */
  async shadow(name: VersionName, seat: Seat, evidence: Evidence): Promise<boolean> {
    const sequence = await this.nextSequence();
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
    await this.write([
      sql`INSERT OR REPLACE INTO model_roles (slot, market, model, role, since) VALUES (${seat.slot}, ${seat.market}, ${model.key}, ${"shadow"}, ${at})`,
      logged(at, { sequence, action: "shadow", seat, model: model.key, previous: active?.key ?? null, evidence }),
    ]);
    return true;
  }

  async unshadow(name: VersionName, seat: Seat, evidence: Evidence): Promise<void> {
    const sequence = await this.nextSequence();
    const model = await this.version(name);
    const shadows = (await this.roles()).filter((role) => isAt(role, seat) && role.role === "shadow");
    if (!shadows.some((role) => role.model.key === model.key)) {
      throw new CommandError(`${model.id} ${model.version} is no shadow for ${said(seat)}: those are ${namesOf(shadows)}`);
    }
    await this.write([
      sql`DELETE FROM model_roles WHERE slot = ${seat.slot} AND market = ${seat.market} AND model = ${model.key} AND role = ${"shadow"}`,
      logged(this.now(), { sequence, action: "unshadow", seat, model: model.key, previous: null, evidence }),
    ]);
  }

  private async nextSequence(): Promise<number> {
    const [row] = await this.store.select(sql`SELECT coalesce(max(sequence), 0) + 1 AS next FROM model_log`);
    return Number(row?.next);
  }

  private async write(statements: readonly Sql[]): Promise<void> {
    try {
      await this.store.execute(statements);
    } catch (error) {
      if (!(error instanceof Error && /UNIQUE constraint failed: model_log\.sequence/.test(error.message))) throw error;
      throw new CommandError(
        "somebody else changed the models at the same time, and nothing of this was done: `edgebook models list` shows what there is now",
      );
    }
  }

  private async find({ id, version }: VersionName): Promise<StoredVersion | null> {
    const [row] = await this.store.select(sql`SELECT ${VERSION_COLUMNS} FROM models m WHERE m.id = ${id} AND m.version = ${version}`);
    return row === undefined ? null : versionOf(row);
  }

  private async versionAt(key: number): Promise<StoredVersion | null> {
    const [row] = await this.store.select(sql`SELECT ${VERSION_COLUMNS} FROM models m WHERE m.key = ${key}`);
    return row === undefined ? null : versionOf(row);
  }

  /** Of who is active there, the newest first. */
  private async changes({ slot, market }: Seat): Promise<ActiveChange[]> {
    const rows = await this.store.select(
      sql`SELECT action, previous, evidence FROM model_log WHERE slot = ${slot} AND market = ${market}
          AND action IN (${"activate"}, ${"promote"}, ${"deactivate"}, ${"roll-back"}) ORDER BY sequence DESC LIMIT ${MAX_LOG_ROWS}`,
    );
    return rows.map(changeOf);
  }

  /** @param model null: nobody. */
  private async seatActive(
    model: StoredVersion | null,
    previous: StoredVersion | null,
    {
      sequence,
      seat,
      action,
      evidence,
      shadow = null,
    }: { sequence: number; seat: Seat; action: LogAction; evidence: Evidence; shadow?: StoredVersion | null },
  ): Promise<void> {
    const { slot, market } = seat;
    const at = this.now();
    const seated = (key: number, role: ModelRole): Sql =>
      sql`INSERT OR REPLACE INTO model_roles (slot, market, model, role, since) VALUES (${slot}, ${market}, ${key}, ${role}, ${at})`;
    await this.write([
      sql`DELETE FROM model_roles WHERE slot = ${slot} AND market = ${market} AND role = ${"active"}`,
      ...(shadow === null ? [] : [seated(shadow.key, "shadow")]),
      ...(model === null ? [] : [seated(model.key, "active")]),
      logged(at, { sequence, action, seat, model: model?.key ?? SHIPPED_KEY, previous: previous?.key ?? null, evidence }),
    ]);
  }
}

function isSame(stored: StoredVersion, { manifestSha256, bytes }: VersionFacts): boolean {
  return stored.manifestSha256 === manifestSha256 && stored.bytes === bytes;
}
