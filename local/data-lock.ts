/** One system per data directory: two would write each other's database. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const LOCK_FILE = "start.pid";

/**
 * Takes the directory for a system that will answer on `port`. @returns how to let it go. @throws Error when a process that lives has it, or when
 * one that was killed has left its Workers behind, which still write there.
 */
export async function lockData(folder: string, port: number): Promise<() => void> {
  const path = join(folder, LOCK_FILE);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, `${process.pid} ${port}`, { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const [owner = Number.NaN, itsPort = Number.NaN] = readFileSync(path, "utf8").split(" ").map(Number);
      if (isAlive(owner))
        throw new Error(
          `${folder} is in use by process ${owner}; stop that one, or choose another directory with --data (or delete ${path}, where that process is something else)`,
        );
      // Left behind by one that was killed. A port that is ours to be is judged by whoever starts.
      if (itsPort !== port && isPort(itsPort) && !(await isFree(itsPort))) {
        throw new Error(
          `process ${owner} was killed, and what it had started still answers on port ${itsPort} and writes to ${folder}: end that first (or delete ${path}, where it is something else)`,
        );
      }
      rmSync(path, { force: true });
    }
  }
  throw new Error(`${path} could not be taken: two starts at once?`);
}

/** Whether nobody listens there, on this machine. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const probe = createServer();
    probe.once("error", () => answer(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => answer(true)));
  });
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
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
