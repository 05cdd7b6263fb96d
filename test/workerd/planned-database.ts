/** A database that says of each statement how SQLite goes about it: which tables it walks, and along which keys it seeks. */

import { env } from "cloudflare:workers";
import { type Database, openDatabase } from "../../workers/storage/database.ts";

export interface PlannedDatabase {
  readonly database: Database;
  /** Of every statement so far, each step as `EXPLAIN QUERY PLAN` words it; forgets them. */
  readonly takePlans: () => Promise<string[]>;
}

export function plannedDatabase(): PlannedDatabase {
  const prepared: { readonly text: string; values: readonly unknown[] }[] = [];
  const prepare = (text: string): D1PreparedStatement => {
    const entry: { readonly text: string; values: readonly unknown[] } = { text, values: [] };
    prepared.push(entry);
    const statement = env.DB.prepare(text);
    return new Proxy(statement, {
      get: (target, name) => {
        if (name !== "bind") return Reflect.get(target, name).bind(target) as unknown;
        return (...values: unknown[]) => {
          entry.values = values;
          return target.bind(...values);
        };
      },
    });
  };
  const takePlans = async (): Promise<string[]> => {
    const plans = await Promise.all(
      prepared.splice(0).map(({ text, values }) =>
        env.DB.prepare(`explain query plan ${text}`)
          .bind(...values)
          .all<{ detail: string }>(),
      ),
    );
    return plans.flatMap(({ results }) => results.map(({ detail }) => detail));
  };
  const binding = new Proxy(env.DB, {
    get: (target, name) => (name === "prepare" ? prepare : (Reflect.get(target, name).bind(target) as unknown)),
  });
  return { database: openDatabase(binding), takePlans };
}
