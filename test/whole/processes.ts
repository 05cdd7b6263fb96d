/**
 * The processes of this machine, read without any tool that a bare machine may lack: from /proc, elsewhere by `ps`.
 *
 * A process is known by its id and the time it was started at, since ids are given again.
 */

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  /** As the system writes it; tells two processes of the same id apart. */
  readonly startedAt: string;
  readonly command: string;
}

/** All that `pid` has started, and what those have started, parents first. */
export function descendantsOf(pid: number): ProcessRow[] {
  const all = runningProcesses();
  const found: ProcessRow[] = [];
  for (let parents = new Set([pid]); parents.size > 0; ) {
    const children = all.filter(({ parent }) => parents.has(parent));
    found.push(...children);
    parents = new Set(children.map((child) => child.pid));
  }
  return found;
}

/** Those of `known` that still run. */
export function survivors(known: readonly ProcessRow[]): ProcessRow[] {
  const running = new Map(runningProcesses().map((row) => [row.pid, row.startedAt]));
  return known.filter(({ pid, startedAt }) => running.get(pid) === startedAt);
}

/** `kill -9`. Those that have ended already are passed over. */
export function killAtOnce(processes: readonly ProcessRow[]): void {
  for (const { pid } of survivors(processes)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended between the look and the kill.
    }
  }
}

function runningProcesses(): ProcessRow[] {
  return existsSync("/proc/self/stat") ? fromProc() : fromPs();
}

function fromProc(): ProcessRow[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readOrNull(`/proc/${name}/stat`);
      const command = readOrNull(`/proc/${name}/cmdline`);
      if (stat === null || command === null) return [];
      // proc(5): after the name, which may hold anything, in parentheses: 3 state, 4 parent, 22 start time.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z") return [];
      return [{ pid: Number(name), parent: Number(fields[1]), startedAt: fields[19] ?? "", command: command.replaceAll("\0", " ").trim() }];
    });
}

function fromPs(): ProcessRow[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,lstart=,command="], { encoding: "utf8" }).trimEnd().split("\n");
  return lines.flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/.exec(line);
    if (match === null || match[3]?.startsWith("Z")) return [];
    return [{ pid: Number(match[1]), parent: Number(match[2]), startedAt: match[4] ?? "", command: match[5] ?? "" }];
  });
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
