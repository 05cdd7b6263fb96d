/** An instance's stores in memory: SQLite with the real migrations, as D1 is, and a map for the bucket. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { InstanceStore, Row } from "../../../training/publish/instance-store.ts";

const MIGRATIONS = join(import.meta.dirname, "..", "..", "..", "migrations");

export interface MemoryStore extends InstanceStore {
  readonly objects: Map<string, Uint8Array>;
  /** Of a table, in its own order. */
  rowsOf(table: string): Row[];
}

export function memoryStore(): MemoryStore {
  const database = new DatabaseSync(":memory:");
  for (const name of readdirSync(MIGRATIONS)
    .filter((each) => each.endsWith(".sql"))
    .sort())
    database.exec(readFileSync(join(MIGRATIONS, name), "utf8"));
  const objects = new Map<string, Uint8Array>();
  return {
    objects,
    rowsOf: (table) => database.prepare(`SELECT * FROM ${table}`).all() as Row[],
    select: async (statement) => database.prepare(statement.text).all() as Row[],
    execute: async (statements) => {
      database.exec("BEGIN");
      try {
        database.exec(`${statements.map(({ text }) => text).join("; ")}; COMMIT`);
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    getText: async (key) => {
      const bytes = objects.get(key);
      return bytes === undefined ? null : new TextDecoder().decode(bytes);
    },
    put: async (key, bytes) => void objects.set(key, bytes),
  };
}
