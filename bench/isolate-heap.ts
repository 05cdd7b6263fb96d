/**
 * What one Worker's isolate holds, by workerd's own inspector: what a process holds says little of it, since the process has many isolates and
 * an allocator that keeps what it was once given. Linux alone: the inspector's port is found by the sockets on which the process listens.
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { WebSocket } from "ws";

const ANSWER_WITHIN_MS = 20_000;
const BYTES_PER_MB = 1e6;
/** The state of a listening socket in /proc/net/tcp. */
const LISTENS = "0A";

export interface IsolateHeap {
  /** Collects what is garbage, and tells what stays: JavaScript values, what they hold outside the heap, and buffers. */
  liveMb(): Promise<number>;
  close(): void;
}

/** @param worker as wrangler names it, e.g. "edgebook-feed". Throws when the process has no inspector with it. */
export async function openIsolateHeap(pid: number, worker: string): Promise<IsolateHeap> {
  const socket = new WebSocket(await inspectorOf(pid, worker));
  await new Promise<void>((open, fail) => socket.once("open", () => open()).once("error", fail));
  let asked = 0;
  const ask = (method: string): Promise<Record<string, number>> =>
    new Promise((answer, fail) => {
      const id = ++asked;
      const timer = setTimeout(() => fail(new Error(`${method} was not answered`)), ANSWER_WITHIN_MS);
      const onMessage = (data: Buffer): void => {
        const message = JSON.parse(String(data)) as { id?: number; result?: Record<string, number> };
        if (message.id !== id) return;
        clearTimeout(timer);
        socket.off("message", onMessage);
        answer(message.result ?? {});
      };
      socket.on("message", onMessage);
      socket.send(JSON.stringify({ id, method }));
    });
  return {
    liveMb: async () => {
      await ask("HeapProfiler.collectGarbage");
      const { usedSize = Number.NaN, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await ask("Runtime.getHeapUsage");
      return Math.round(((usedSize + embedderHeapUsedSize + backingStorageSize) / BYTES_PER_MB) * 10) / 10;
    },
    close: () => socket.close(),
  };
}

async function inspectorOf(pid: number, worker: string): Promise<string> {
  for (const port of listeningPorts(pid)) {
    const targets = await fetch(`http://127.0.0.1:${port}/json`)
      .then((response) => response.json())
      .catch(() => null);
    if (!Array.isArray(targets)) continue;
    const target = (targets as { id?: string; webSocketDebuggerUrl?: string }[]).find(({ id }) => id === `core:user:${worker}`);
    if (target?.webSocketDebuggerUrl !== undefined) return target.webSocketDebuggerUrl;
  }
  throw new Error(`process ${pid} shows no inspector of ${worker}`);
}

function listeningPorts(pid: number): number[] {
  const sockets = new Set<string>();
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${name}`))?.[1];
    if (inode !== undefined) sockets.add(inode);
  }
  const rows = readFileSync("/proc/net/tcp", "utf8").trim().split("\n").slice(1);
  return rows.flatMap((row) => {
    const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
    const port = Number.parseInt(local?.split(":")[1] ?? "", 16);
    return state === LISTENS && inode !== undefined && sockets.has(inode) ? [port] : [];
  });
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
