/** Opens the stores of an instance: those that `wrangler dev --persist-to DIR` opens, or the account's own. */

import { join, resolve } from "node:path";
import { CommandError } from "../command-error.ts";
import type { InstanceStore, Row, StoreTarget } from "./instance-store.ts";
import { sql } from "./sql.ts";
import { DATABASE, ROOT, wrangler } from "./wrangler.ts";
import { wranglerStore } from "./wrangler-store.ts";

/** Where `wrangler dev --persist-to DIR` keeps its state inside DIR. */
const STATE_FOLDER = "v3";

/** @throws CommandError where the stores can't be had. */
export async function withStore<T>({ local }: StoreTarget, act: (store: InstanceStore) => Promise<T>): Promise<T> {
  return local === null ? act(wranglerStore(["--remote"])) : withLocalStore(resolve(local), act);
}

/** What is used here of what wrangler opens. */
interface LocalBindings {
  readonly TAPES: {
    get(key: string): Promise<{ text(): Promise<string> } | null>;
    put(key: string, bytes: Uint8Array): Promise<unknown>;
  };
  readonly DB: {
    prepare(statement: string): { all(): Promise<{ results: Row[] }> };
    batch(statements: readonly unknown[]): Promise<unknown>;
  };
}

async function withLocalStore<T>(persistFolder: string, act: (store: InstanceStore) => Promise<T>): Promise<T> {
  const done = await withBindings(persistFolder, async (bindings) =>
    (await hasTables(bindings)) ? { value: await act(storeOf(bindings)) } : null,
  );
  if (done !== null) return done.value;
  await wrangler(["d1", "migrations", "apply", DATABASE, "--local", "--persist-to", persistFolder]);
  return withBindings(persistFolder, (bindings) => act(storeOf(bindings)));
}

function storeOf({ TAPES, DB }: LocalBindings): InstanceStore {
  return {
    select: async (statement) => (await DB.prepare(statement.text).all()).results,
    execute: async (statements) => void (await DB.batch(statements.map(({ text }) => DB.prepare(text)))),
    getText: async (key) => (await TAPES.get(key))?.text() ?? null,
    put: async (key, bytes) => void (await TAPES.put(key, bytes)),
  };
}

/** A folder that no start has been in has none yet. */
async function hasTables({ DB }: LocalBindings): Promise<boolean> {
  const { results } = await DB.prepare(sql`SELECT name FROM sqlite_master WHERE name = ${"model_log"}`.text).all();
  return results.length > 0;
}

async function withBindings<T>(persistFolder: string, act: (bindings: LocalBindings) => Promise<T>): Promise<T> {
  process.env.WRANGLER_SEND_METRICS ??= "false";
  process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false";
  process.env.WRANGLER_LOG ??= "error";
  const { getPlatformProxy } = await import("wrangler");
  const platform = await getPlatformProxy<Partial<LocalBindings> & Record<string, unknown>>({
    configPath: join(ROOT, "wrangler.toml"),
    persist: { path: join(persistFolder, STATE_FOLDER) },
  });
  try {
    const { TAPES, DB } = platform.env;
    if (TAPES === undefined || DB === undefined) throw new CommandError("wrangler.toml binds no bucket TAPES or no database DB");
    return await act({ TAPES, DB });
  } finally {
    await platform.dispose();
  }
}
