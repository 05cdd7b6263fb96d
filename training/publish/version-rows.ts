/** Versions and roles as the tables `models` and `model_roles` have them (workers/storage/schema.ts), read into what the registry speaks of. */

import type { ModelRole, ModelSlot } from "../../models/roles.ts";
import type { HeldRole, StoredVersion } from "./held-roles.ts";
import type { Row } from "./instance-store.ts";
import { sql } from "./sql.ts";

/** Of `models m`. */
export const VERSION_COLUMNS = sql`m.key AS key, m.id AS id, m.version AS version, m.manifest_sha256 AS manifestSha256, m.family AS family,
  m.feature_set AS featureSet, m.fingerprint AS fingerprint, m.label AS label, m.bytes AS bytes, m.published_at AS publishedAt`;

export function versionOf(row: Row): StoredVersion {
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

/** VERSION_COLUMNS, and `slot`, `market`, `role` and `since` of its role. */
export function roleOf(row: Row): HeldRole {
  const { slot, market, role, since } = row;
  return { slot: slot as ModelSlot, market: String(market), role: role as ModelRole, since: Number(since), model: versionOf(row) };
}
