/** An instance's database and bucket, as commands see them: here, or the account's own. */

import type { Sql } from "./sql.ts";

export type Row = Readonly<Record<string, unknown>>;

export interface InstanceStore {
  select(statement: Sql): Promise<readonly Row[]>;
  /** In one transaction: all or none. */
  execute(statements: readonly Sql[]): Promise<void>;
  /** Null when there is no such object. */
  getText(key: string): Promise<string | null>;
  put(key: string, bytes: Uint8Array): Promise<void>;
}

export interface StoreTarget {
  /** The folder that `wrangler dev --persist-to` names, or null for the account's own. */
  readonly local: string | null;
}
