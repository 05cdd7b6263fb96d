/** The stores through wrangler's command line: a process a statement and an object. It is how the account's own are reached. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import type { InstanceStore, Row } from "./instance-store.ts";
import { BUCKET, DATABASE, wrangler } from "./wrangler.ts";

/** @param where wrangler's own words: `--remote`, or `--local` with where its state lies. */
export function wranglerStore(where: readonly string[]): InstanceStore {
  return {
    select: async (statement) => (await query([statement.text], where))[0] ?? [],
    // Several statements of one command are one batch, and a batch is a transaction.
    execute: async (statements) =>
      void (await query(
        statements.map(({ text }) => text),
        where,
      )),
    getText: (key) => getText(key, where),
    put: (key, bytes) => put(key, bytes, where),
  };
}

async function query(statements: readonly string[], where: readonly string[]): Promise<Row[][]> {
  const printed = await wrangler(["d1", "execute", DATABASE, ...where, "--json", "--command", statements.join(";\n")]);
  return parseResults(printed);
}

/** wrangler may say something of itself before the JSON. */
function parseResults(printed: string): Row[][] {
  const from = printed.search(/^\[/m);
  try {
    const results = JSON.parse(printed.slice(Math.max(from, 0))) as { results?: Row[] }[];
    return results.map(({ results: rows }) => rows ?? []);
  } catch {
    throw new CommandError(`wrangler d1 execute answered what is no JSON: ${printed.slice(0, 500)}`);
  }
}

async function getText(key: string, where: readonly string[]): Promise<string | null> {
  try {
    return await wrangler(["r2", "object", "get", `${BUCKET}/${key}`, ...where, "--pipe"]);
  } catch (error) {
    if (error instanceof CommandError && /does not exist|NoSuchKey|10007/i.test(error.message)) return null;
    throw error;
  }
}

async function put(key: string, bytes: Uint8Array, where: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "edgebook-publish-"));
  try {
    const file = join(folder, "object");
    await writeFile(file, bytes);
    await wrangler(["r2", "object", "put", `${BUCKET}/${key}`, "--file", file, ...where]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
