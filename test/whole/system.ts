/**
 * A whole edgebook, as `npm start` runs it: started on a free port, asked over HTTP, stopped or killed, and never left behind.
 *
 * `endEverything` belongs into each file's afterAll: it stops what is still running, by force where it has to.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { descendantsOf, killAtOnce, type ProcessRow, survivors } from "./processes.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
const READY_WITHIN_MS = 90_000;
const ANSWER_WITHIN_MS = 10_000;
const END_WITHIN_MS = 15_000;
const GONE_WITHIN_MS = 3_000;
const POLL_MS = 100;

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

const started: System[] = [];
const folders: string[] = [];

/** A folder for --data, removed by `endEverything`. */
export function scratchData(): string {
  const folder = mkdtempSync(join(tmpdir(), "edgebook-whole-"));
  folders.push(folder);
  return folder;
}

/** Starts edgebook and waits until every market is live. @param flags of `npm start`, all but --port and --data. */
export async function startSystem(data: string, flags: readonly string[]): Promise<System> {
  const system = new System(data, await freePort(), flags);
  started.push(system);
  await system.untilLive(READY_WITHIN_MS);
  return system;
}

export async function endEverything(): Promise<void> {
  await Promise.all(started.splice(0).map((system) => system.endByForce()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export class System {
  readonly address: string;
  /** The exit code of `npm start`; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  private readonly process: ChildProcess;
  private readonly logFile: string;
  private readonly known = new Map<string, ProcessRow>();
  private hasEnded = false;

  constructor(data: string, port: number, flags: readonly string[]) {
    this.address = `http://127.0.0.1:${port}`;
    this.logFile = join(data, "start.log");
    const log = openSync(this.logFile, "w");
    const args = [join("local", "start.ts"), "--port", String(port), "--data", data, ...flags];
    this.process = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", log, log] });
    this.ended = once(this.process, "exit").then(([code]) => {
      this.hasEnded = true;
      return code as number | null;
    });
  }

  /** What it has printed. */
  get printed(): string {
    return readFileSync(this.logFile, "utf8");
  }

  /** A JSON answer of the API. Throws when there is none. */
  async ask<T>(path: string): Promise<Answer<T>> {
    const response = await this.fetch(path);
    return { status: response.status, body: (await response.json()) as T };
  }

  fetch(path: string): Promise<Response> {
    return fetch(`${this.address}${path}`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  }

  /** The body of an answer that has to be 200. */
  async get<T>(path: string): Promise<T> {
    const { status, body } = await this.ask<T>(path);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** The minutely run, now. */
  async cron(): Promise<void> {
    const response = await this.fetch(`/cdn-cgi/handler/scheduled?cron=${encodeURIComponent("* * * * *")}`);
    if (!response.ok) throw new Error(`cron answered ${response.status}: ${await response.text()}`);
  }

  async untilLive(withinMs: number): Promise<void> {
    let last = "no answer";
    const isLive = async (): Promise<boolean> => {
      if (this.hasEnded) throw new Error(`edgebook has ended:\n${this.printed}`);
      const health = await this.ask<{ status: string }>("/v1/health").catch(() => null);
      last = JSON.stringify(health?.body ?? "no answer");
      return health?.body.status === "ok";
    };
    await until("every market to be live", withinMs, isLive).catch((error: Error) => {
      throw new Error(`${error.message}; last: ${last}`, { cause: error });
    });
    this.look();
  }

  /** The processes of the Workers: wrangler's own, and the runtimes that it has started. */
  workersProcesses(): { wrangler: ProcessRow[]; runtimes: ProcessRow[]; door: ProcessRow[]; code: ProcessRow[] } {
    const all = this.look();
    const runtimes = all.filter(({ command }) => command.includes("workerd serve"));
    const isDoor = ({ command }: ProcessRow): boolean => command.includes(`entry=${new URL(this.address).host}`);
    return {
      wrangler: all.filter(({ command }) => command.includes("wrangler")),
      runtimes,
      door: runtimes.filter(isDoor),
      code: runtimes.filter((row) => !isDoor(row)),
    };
  }

  /** What still runs of every process of it seen so far, `npm start` itself left out. A killed one takes a moment to go. */
  async survivors(): Promise<ProcessRow[]> {
    const known = [...this.known.values()];
    await until("its processes to be gone", GONE_WITHIN_MS, () => survivors(known).length === 0).catch(() => {});
    return survivors(known);
  }

  /** Ctrl-C, or a terminal that is closed. @returns the exit code. */
  async interrupt(signal: "SIGINT" | "SIGHUP" = "SIGINT"): Promise<number | null> {
    this.look();
    this.process.kill(signal);
    return this.ended;
  }

  async endByForce(): Promise<void> {
    if (!this.hasEnded) {
      const timer = setTimeout(() => this.process.kill("SIGKILL"), END_WITHIN_MS);
      await this.interrupt();
      clearTimeout(timer);
    }
    killAtOnce([...this.known.values()]);
  }

  /** Its processes now, which are kept in mind. */
  private look(): ProcessRow[] {
    const now = this.process.pid === undefined || this.hasEnded ? [] : descendantsOf(this.process.pid);
    for (const row of now) this.known.set(`${row.pid}@${row.startedAt}`, row);
    return now;
  }
}

/** Asks until `probe` gives something true. Throws, saying what was waited for, when it doesn't in time. */
export async function until<T>(what: string, withinMs: number, probe: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await new Promise((next) => setTimeout(next, POLL_MS));
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
