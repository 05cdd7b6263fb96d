/** A child process whose output goes to a log file, which can be waited for and stopped. */

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, readFileSync, renameSync } from "node:fs";

export interface Child {
  readonly name: string;
  readonly logFile: string;
  /** Resolves with the exit code when it ends, null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** The first line of its output that `pick` makes something of. Rejects when the child ends before. */
  firstLine<T>(pick: (line: string) => T | null): Promise<T>;
  /** Asks it to end, and ends it after `patienceMs`. */
  stop(patienceMs: number): Promise<void>;
}

export interface ChildOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly cwd: string;
}

/** Starts Node, the very one that runs this, on `args`. */
export function startNode(options: ChildOptions): Child {
  const { name, args, env, logFile, cwd } = options;
  keepLastLog(logFile);
  const log = createWriteStream(logFile);
  // A group of its own: Ctrl-C reaches us alone, and we end the children in order.
  const child = spawn(process.execPath, [...args], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(-1));
    child.once("exit", (code) => resolve(code));
  });
  return {
    name,
    logFile,
    ended,
    firstLine: (pick) => firstLine(child, ended, { pick, name, logFile }),
    stop: (patienceMs) => stop(child, ended, patienceMs),
  };
}

/** A log is of one run: the one before is kept beside it, and none grows over the months. */
function keepLastLog(logFile: string): void {
  try {
    renameSync(logFile, `${logFile}.last`);
  } catch {
    // There was none.
  }
}

/** The end of a log, for an error message. */
export function logTail(logFile: string): string {
  try {
    return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-12).join("\n");
  } catch {
    return "(no log)";
  }
}

function firstLine<T>(
  child: ChildProcess,
  ended: Promise<number | null>,
  options: { pick: (line: string) => T | null; name: string; logFile: string },
): Promise<T> {
  return new Promise((resolve, reject) => {
    let pending = "";
    const onData = (chunk: Buffer): void => {
      pending += chunk.toString("utf8");
      const lines = pending.split("\n");
      pending = lines.pop() ?? "";
      for (const line of lines) {
        const picked = options.pick(line);
        if (picked === null) continue;
        child.stdout?.off("data", onData);
        resolve(picked);
        return;
      }
    };
    child.stdout?.on("data", onData);
    void ended.then((code) => reject(new Error(`${options.name} ended with ${code} before it was ready:\n${logTail(options.logFile)}`)));
  });
}

async function stop(child: ChildProcess, ended: Promise<number | null>, patienceMs: number): Promise<void> {
  signalGroup(child, "SIGINT");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), patienceMs);
  await ended;
  clearTimeout(timer);
  // What it had started may outlive it.
  signalGroup(child, "SIGKILL");
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}
