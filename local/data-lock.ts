/** One system per data directory: two would write each other's database. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOCK_FILE = "start.pid";

/** Takes the directory. @returns how to let it go. @throws Error when a process that lives has it. */
export function lockData(folder: string): () => void {
  const path = join(folder, LOCK_FILE);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = Number(readFileSync(path, "utf8"));
      if (isAlive(owner))
        throw new Error(
          `${folder} is in use by process ${owner}; stop that one, or choose another directory with --data (or delete ${path}, where that process is something else)`,
        );
      // Left behind by one that was killed.
      rmSync(path, { force: true });
    }
  }
  throw new Error(`${path} could not be taken: two starts at once?`);
}

function isAlive(pid: number): boolean {
  // In a container each start may have the same number.
  if (!Number.isSafeInteger(pid) || pid < 1 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's, and alive.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
