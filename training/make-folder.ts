/**
 * A folder with all above it, or an error in time. Node's own `mkdir` with `recursive` never comes back where a folder is to be seen and nothing can be
 * made in it (/proc, say): what the system answers there, ENOENT, it takes for a missing parent, which it goes on to make (seen with Node 20 and 24).
 */

import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { CommandError } from "./command-error.ts";

/** @returns whether it wasn't there before. Throws CommandError where there can be none, the system's error where it may not be made. */
export async function makeFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isDirectory()) throw new CommandError(`${path} is a file, and a folder is wanted: name another one`);
  const missing = await missingFolders(resolve(path));
  for (const folder of missing) await makeOne(folder);
  return missing.length > 0;
}

/** From the topmost on. */
async function missingFolders(path: string): Promise<string[]> {
  const missing: string[] = [];
  let at = path;
  while (at !== dirname(at) && (await stat(at).catch(() => null)) === null) {
    missing.unshift(at);
    at = dirname(at);
  }
  return missing;
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    // Another process was faster.
    if (code === "EEXIST") return;
    if (code === "ENOENT") throw new CommandError(`no folder can be made in ${dirname(folder)}: name another place`, { cause: error });
    throw error;
  }
}
