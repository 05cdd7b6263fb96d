/**
 * `npm run bench -- streams`: what clients cost. The system of `bench feed` (20 markets, some 1,000 frames a second), by turns without clients
 * and with them, each on all markets and channels, all of them reading.
 *
 * CPU and memory are those of the process that holds the three Workers, from the operating system; bytes are what the clients received. Each
 * client follows the sequence of each market's depth: one that has missed a change, lagged or been closed makes the bench fail.
 */

import { WebSocket } from "ws";
import { BASE, marketNames, pause, round, sample, withRunningSystem, workerdOf } from "./feed.ts";
import { median } from "./report.ts";

/** Handshakes at once: the local proxy refuses a flood of them. */
const OPEN_AT_ONCE = 20;
const WARM_UP_MS = 3_000;
/** Kind, market (or a ping's id), and the sequences of depth. */
const HEADS = /{"kind":"(\w+)"(?:,"(?:market|id)":"([^"]+)")?(?:,"previous":(\d+))?(?:,"sequence":(\d+))?/g;

export interface StreamsOptions {
  readonly clients: number;
  readonly seconds: number;
  readonly rounds: number;
}

interface Phase {
  readonly cpuShare: number;
  readonly residentMb: number;
  readonly messages: number;
  readonly bytes: number;
}

export async function benchStreams({ clients, seconds, rounds }: StreamsOptions): Promise<void> {
  if (!(clients > 0 && seconds > 0 && rounds > 0)) throw new Error("--clients, --seconds and --rounds need positive numbers");
  await withRunningSystem(async (parent) => {
    const pid = workerdOf(parent);
    const markets = await marketNames();
    const quiet: Phase[] = [];
    const served: Phase[] = [];
    for (let turn = 0; turn < rounds; turn++) {
      quiet.push(await phase(pid, seconds, []));
      const readers = await openReaders(markets, clients);
      await pause(WARM_UP_MS);
      served.push(await phase(pid, seconds, readers));
      for (const reader of readers) reader.close();
      await pause(WARM_UP_MS);
    }
    const of = (phases: readonly Phase[], value: (phase: Phase) => number): number => median(phases.map(value));
    const added = of(served, ({ cpuShare }) => cpuShare) - of(quiet, ({ cpuShare }) => cpuShare);
    const messages = of(served, (each) => each.messages) / seconds;
    console.log(
      JSON.stringify({
        bench: "streams",
        markets: markets.length,
        clients,
        seconds,
        rounds,
        cpuShareWithout: round(of(quiet, ({ cpuShare }) => cpuShare)),
        cpuShareWith: round(of(served, ({ cpuShare }) => cpuShare)),
        messagesPerSecond: Math.round(messages),
        bytesPerSecondAndClient: Math.round(of(served, (each) => each.bytes) / seconds / clients),
        cpuMicrosecondsPerMessage: round((added / messages) * 1_000_000),
        residentMbWithout: quiet.map(({ residentMb }) => residentMb),
        residentMbWith: served.map(({ residentMb }) => residentMb),
      }),
    );
  });
}

async function phase(pid: number, seconds: number, readers: readonly Reader[]): Promise<Phase> {
  const first = sample(pid);
  const began = Date.now();
  const before = { messages: sum(readers, (reader) => reader.messages), bytes: sum(readers, (reader) => reader.bytes) };
  await pause(seconds * 1_000);
  const last = sample(pid);
  for (const reader of readers) reader.check();
  return {
    cpuShare: (last.cpuSeconds - first.cpuSeconds) / ((Date.now() - began) / 1_000),
    residentMb: last.residentMb,
    messages: sum(readers, (reader) => reader.messages) - before.messages,
    bytes: sum(readers, (reader) => reader.bytes) - before.bytes,
  };
}

async function openReaders(markets: readonly string[], count: number): Promise<Reader[]> {
  const readers: Reader[] = [];
  while (readers.length < count) {
    const more = Array.from({ length: Math.min(OPEN_AT_ONCE, count - readers.length) }, () => new Reader(markets));
    await Promise.all(more.map((reader) => reader.opened));
    readers.push(...more);
  }
  return readers;
}

/** Reads as little as it may: it answers pings, and proves by the sequence alone that it has missed nothing, so that the bench leaves a core to the system. */
class Reader {
  messages = 0;
  bytes = 0;
  readonly opened: Promise<void>;
  private fault: string | null = null;
  private readonly sequences = new Map<string, number>();
  private readonly socket: WebSocket;

  constructor(markets: readonly string[]) {
    this.socket = new WebSocket(`${BASE.replace("http", "ws")}/v1/stream?markets=${markets.join(",")}`, { perMessageDeflate: false });
    this.opened = new Promise((done, fail) => {
      this.socket.once("open", () => done());
      this.socket.once("error", fail);
    });
    this.socket.on("message", (data: Buffer) => this.take(data.toString()));
    this.socket.on("close", (code: number, reason: Buffer) => {
      this.fault ??= `closed with ${code} ${reason.toString()}`;
    });
  }

  /** @throws Error when it was closed, or has missed a change. */
  check(): void {
    if (this.fault !== null) throw new Error(`a client has lost its stream: ${this.fault}`);
    if (this.sequences.size === 0) throw new Error("a client has no book");
  }

  close(): void {
    this.fault = null;
    this.socket.close();
  }

  private take(frame: string): void {
    this.bytes += frame.length;
    for (const [, kind, market = "", previous, sequence] of frame.matchAll(HEADS)) {
      this.messages++;
      if (kind === "ping") this.socket.send(JSON.stringify({ op: "pong", id: market }));
      if (kind === "lagging") this.fault ??= "it lagged";
      if (kind === "depth" && this.sequences.get(market) !== Number(previous)) this.fault ??= `a change of ${market} was missed`;
      if (kind === "depth" || kind === "snapshot") this.sequences.set(market, Number(sequence));
    }
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
