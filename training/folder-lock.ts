/**
 * One writer for a folder at a time. Whoever wants it puts a file of its own there, `lock-…`, which says which process it is: its number, when that process
 * began (numbers are given again), its machine and the time. Then it looks who else is there, and has the folder when nobody is. Of two, the later to put
 * its file sees the earlier's, so never both have it. Where both see each other, the one whose file has
 * the greater name steps back; of a crowd that comes at once it may be that nobody gets it.
 *
 * A process that was killed leaves its file behind. Whoever comes next sees that no such process is at work, removes it and says so: nobody has to clean
 * up. What can't be judged from here, a file of another machine on a shared disk, is refused with what to remove. A container is a machine by its host
 * name. (One file, taken over when its owner is dead, lets two in: between looking whose it is and taking it, it may have become a third's.)
 */

import { randomInt, randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { CommandError } from "./command-error.ts";
import { makeFolder } from "./make-folder.ts";

const PREFIX = "lock-";
/** At the end of the name of one that is being written. */
const UNFINISHED = ".new";
/** Whoever comes at the same moment has stepped back by then; who is at work is still there, after a tenth of a second at most. */
const LOOKS = 8;
const [SHORTEST_WAIT_MS, LONGEST_WAIT_MS] = [2, 15];

const holderShape = z.strictObject({
  pid: z.int().positive(),
  /** As `startOf` tells it; null where the system doesn't. */
  start: z.string().nullable(),
  host: z.string(),
  since: z.string(),
});

type Holder = z.infer<typeof holderShape>;

interface Other {
  readonly name: string;
  readonly holder: Holder;
}

export interface FolderLock {
  /** Gives the folder back. */
  release(): Promise<void>;
}

/**
 * Makes the folder where there is none, takes it, and looks at what lies in it by `check`; where that throws, all is as it was. A folder that was made for
 * nothing is gone when it is given back.
 */
export async function claimFolder(
  folder: string,
  { check, tell }: { check: () => Promise<void>; tell: (message: string) => void },
): Promise<FolderLock> {
  const isNew = await makeFolder(folder);
  const lock = await lockFolder(folder, tell);
  const release = async (): Promise<void> => {
    await lock.release();
    // One that holds something stays.
    if (isNew) await rmdir(folder).catch(() => null);
  };
  try {
    await check();
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

/** @param folder one that is there. @param tell hears of who left it without a word. Throws CommandError where another process is at work. */
export async function lockFolder(folder: string, tell: (message: string) => void): Promise<FolderLock> {
  const name = `${PREFIX}${randomUUID()}`;
  const path = join(folder, name);
  const text = await textOfOwn();
  const release = (): Promise<void> => rm(path, { force: true });
  let others: Other[] = [];
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await wait(randomInt(SHORTEST_WAIT_MS, LONGEST_WAIT_MS));
    await publish(path, text);
    others = await othersAtWork(folder, { name, tell });
    if (others.length === 0) return { release };
    if (others.some((other) => other.name < name)) await release();
  }
  await release();
  throw refusal(folder, others[0] as Other);
}

/** Whole from the first moment on, so that nobody reads half of it. */
async function publish(path: string, text: string): Promise<void> {
  const beside = `${path}${UNFINISHED}`;
  await writeFile(beside, text);
  await rename(beside, path);
}

/** Removes what the dead left. */
async function othersAtWork(folder: string, { name: own, tell }: { name: string; tell: (message: string) => void }): Promise<Other[]> {
  const working: Other[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(PREFIX) || name === own) continue;
    const path = join(folder, name);
    const text = await readFile(path, "utf8").catch(() => null);
    if (text === null) continue;
    const holder = parseHolder(text);
    const isUnfinished = name.endsWith(UNFINISHED);
    if (holder === null ? isUnfinished : holder.host !== hostname() || (await isAtWork(holder))) {
      if (holder !== null && !isUnfinished) working.push({ name, holder });
    } else {
      await rm(path, { force: true });
      tell(remarkOn(holder, folder));
    }
  }
  return working;
}

function remarkOn(holder: Holder | null, folder: string): string {
  return holder === null
    ? `a lock in ${folder} says nothing: whoever left it there is no longer at work`
    : `process ${holder.pid}, at work in ${folder} since ${holder.since}, ended before it was done: going on without it`;
}

function refusal(folder: string, { name, holder: { pid, start, host, since } }: Other): CommandError {
  const isHere = host === hostname();
  const who = `another command is at work in ${folder} (process ${pid}${isHere ? "" : ` of ${host}`}, since ${since})`;
  const path = join(folder, name);
  if (!isHere) return new CommandError(`${who}: name another folder, or remove ${path} if it has ended`);
  return new CommandError(
    `${who}: ${start === null ? `name another folder, or remove ${path} if that process is something else` : "wait for it, or name another folder"}`,
  );
}

async function textOfOwn(): Promise<string> {
  const holder: Holder = {
    pid: process.pid,
    start: await startOf(process.pid),
    host: hostname(),
    since: `${new Date().toISOString().slice(0, 19).replace("T", " ")} UTC`,
  };
  return `${JSON.stringify(holder)}\n`;
}

function parseHolder(text: string): Holder | null {
  try {
    return holderShape.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

async function isAtWork({ pid, start }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Of another user, else: it is there, and not ours to signal.
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
  }
  return start === null || (await startOf(pid)) === start;
}

/** After the name, which may hold anything but ends with the last bracket: the 3rd field is the state, the 22nd the start (man 5 proc_pid_stat). */
const [STATE, START] = [0, 19];

/** Boot of the machine and ticks since then; null where the system has no /proc, or there is no such process, or only what is left of one. */
async function startOf(pid: number): Promise<string | null> {
  const [boot, stat] = await Promise.all([
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => null),
    readFile(`/proc/${pid}/stat`, "utf8").catch(() => null),
  ]);
  if (boot === null || stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[STATE] === "Z" ? null : `${boot.trim()} ${fields[START]}`;
}
