/** Makes the layout of a family whose rows are no feature set of one market, with its fingerprint: over id, revision, interval and columns. */

import { ContentHash } from "../core/math/hash.ts";
import type { InputLayout } from "./contract.ts";

/** @param revision raised when a column's meaning changes though its name does not. */
export function defineLayout(id: string, revision: number, rows: Pick<InputLayout, "columns" | "intervalMs">): InputLayout {
  const { columns, intervalMs } = rows;
  const hash = new ContentHash().text(id).integer(revision).integer(intervalMs).integer(columns.length);
  for (const name of columns) hash.text(name);
  return { id, columns, intervalMs, fingerprint: hash.digest() };
}
