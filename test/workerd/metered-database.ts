/** A database that adds up what D1 bills for each statement. */

import { env } from "cloudflare:workers";
import { type Database, openDatabase } from "../../workers/storage/database.ts";

export interface Metered {
  written: number;
  read: number;
}

export function meteredDatabase(): { database: Database; metered: Metered } {
  const metered: Metered = { written: 0, read: 0 };
  const count = <T extends { readonly meta: D1Meta }>(result: T): T => {
    metered.written += result.meta.rows_written;
    metered.read += result.meta.rows_read;
    return result;
  };
  /** The bare statements of the wrapped ones: a batch takes no others. */
  const bare = new WeakMap<object, D1PreparedStatement>();
  const wrapped = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapper = new Proxy(statement, {
      get: (target, name) => {
        if (name === "bind") return (...values: unknown[]) => wrapped(target.bind(...values));
        if (name === "all") return async () => count(await target.all());
        if (name === "run") return async () => count(await target.run());
        // Rows without their names come without a bill: the same by their names.
        if (name === "raw") return async () => count(await target.all<Record<string, unknown>>()).results.map((row) => Object.values(row));
        throw new Error(`${String(name)} is not metered`);
      },
    });
    bare.set(wrapper, statement);
    return wrapper;
  };
  const binding = new Proxy(env.DB, {
    get: (target, name) => {
      if (name === "prepare") return (text: string) => wrapped(target.prepare(text));
      if (name === "batch")
        return async (statements: D1PreparedStatement[]) =>
          (await target.batch(statements.map((each) => bare.get(each) ?? each))).map((result) => count(result));
      throw new Error(`${String(name)} is not metered`);
    },
  });
  return { database: openDatabase(binding), metered };
}
