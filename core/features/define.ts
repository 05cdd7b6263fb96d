/** Makes a feature set out of its features: collects the columns and takes their fingerprint. */

import { ContentHash } from "../math/hash.ts";
import { FEATURE_INTERVAL_MS, type Feature, type FeatureSet } from "./contract.ts";

/**
 * @param revision raised when a column's meaning changes though its name does not.
 * @param options.fit the hash of what columns take from data; absent: they take nothing.
 * @throws when two columns have one name.
 */
export function defineFeatureSet(
  id: string,
  revision: number,
  create: () => readonly Feature[],
  options: { readonly fit?: string } = {},
): FeatureSet {
  const features = create();
  const descriptions = features.flatMap((feature) => feature.columns);
  const columns = descriptions.map((column) => column.name);
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`feature set ${id} has two columns named ${twice}`);
  return {
    id,
    columns,
    descriptions,
    warmupMs: Math.max(0, ...features.map((feature) => feature.warmupMs)),
    fingerprint: fingerprintOf(columns, { id, revision, ...options }),
    create,
  };
}

/** Over the grid too: the same columns on another grid are other numbers. */
function fingerprintOf(columns: readonly string[], { id, revision, fit }: { id: string; revision: number; fit?: string }): string {
  const hash = new ContentHash().text(id).integer(revision).integer(FEATURE_INTERVAL_MS).integer(columns.length);
  for (const name of columns) hash.text(name);
  if (fit !== undefined) hash.text(fit);
  return hash.digest();
}
