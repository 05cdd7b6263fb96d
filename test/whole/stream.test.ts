/**
 * Losses prevented: a client that doesn't read and takes the feed's memory; one that reads and gets less for it; a client in the documents that
 * doesn't run as it stands.
 */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { ANSWER_WITHIN_MS, MAX_OUTSTANDING_BYTES } from "../../feed/stream/client-flow.ts";
import type { BookBody } from "../../workers/api/schemas.ts";
import { BookKeeper, type Message } from "../feed/stream-client.ts";
import { marketsOf } from "./recorded.ts";
import { endEverything, type System, scratchData, startSystem, until } from "./system.ts";

const RECIPE = new URL("../../docs/recipes/follow-a-market.md", import.meta.url);
/** Frame heads, pings, and what the client had already been sent of a frame when it began to lag. */
const ROOM_BYTES = 4_096;

let system: System;
let markets: string[];

beforeAll(async () => {
  system = await startSystem(scratchData(), ["--venues", "binance-spot", "--markets", "5", "--seed", "3", "--interval-ms", "31"]);
  markets = await marketsOf(system);
});

afterAll(endEverything);

/** A websocket by hand: its handshake is read, and nothing after it until `resume`. */
async function openUnread(path: string): Promise<Socket> {
  const { port } = new URL(system.address);
  const socket = connect(Number(port), "127.0.0.1");
  const key = Buffer.alloc(16, 7).toString("base64");
  const headers = ["Host: edgebook", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Key: ${key}`, "Sec-WebSocket-Version: 13"];
  socket.write(`GET ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
  const head = await new Promise<Buffer>((done) => socket.once("data", done));
  socket.pause();
  expect(head.toString("latin1")).toMatch(/^HTTP\/1.1 101 /);
  return socket;
}

/** A client that reads and answers. */
class Reader {
  readonly keeper = new BookKeeper();
  readonly kinds = new Set<string>();
  readonly socket: WebSocket;
  /** When the first ping came. */
  pingedAt: number | null = null;
  fault: unknown = null;

  constructor(query: string) {
    this.socket = new WebSocket(`${system.address.replace("http", "ws")}/v1/stream?${query}`);
    this.socket.on("message", (data: Buffer) => {
      try {
        for (const message of JSON.parse(data.toString()) as Message[]) this.take(message);
      } catch (error) {
        this.fault ??= error;
      }
    });
    this.socket.on("close", (code: number) => {
      this.fault ??= `closed with ${code}`;
    });
  }

  private take(message: Message): void {
    this.kinds.add(message.kind);
    this.keeper.take(message);
    if (message.kind === "ping") this.pingedAt ??= Date.now();
    if (message.kind === "ping") this.socket.send(JSON.stringify({ op: "pong", id: message.id }));
  }
}

describe("a client that does not read", () => {
  it("is sent no more than the bound, and told 1013; one that reads goes on meanwhile, with the API's very book", async () => {
    const query = `markets=${markets.join(",")}&levels=500`;
    const stuck = await openUnread(`/v1/stream?${query}`);
    const reader = new Reader(query);
    // The same was sent to both, so the other's first ping is that old too.
    await until("a ping to be overdue", 90_000, () => reader.pingedAt !== null && Date.now() - reader.pingedAt > ANSWER_WITHIN_MS + 2_000);
    expect(reader.fault).toBeNull();
    expect(reader.kinds).not.toContain("lagging");
    for (const market of markets) {
      await until(`the book of ${market}`, 10_000, async () => {
        const { body } = await system.ask<BookBody>(`/v1/markets/${market}/book?levels=500`);
        const pairs = (side: BookBody["bids"]): number[][] => side.map(({ priceTicks, sizeLots }) => [priceTicks, sizeLots]);
        return (
          JSON.stringify([reader.keeper.side(market, "bids"), reader.keeper.side(market, "asks")]) ===
          JSON.stringify([pairs(body.bids), pairs(body.asks)])
        );
      });
    }
    reader.socket.terminate();
    const received: Buffer[] = [];
    stuck.on("data", (chunk: Buffer) => received.push(chunk));
    stuck.resume();
    const text = await until("the close", 10_000, () => {
      const all = Buffer.concat(received).toString("latin1");
      return all.includes("was not answered within 30 s") ? all : null;
    });
    stuck.destroy();
    expect(text).toContain(`\x03\xf5a ping was not answered within 30 s`);
    expect(text).toContain('"kind":"lagging"');
    expect(text.length).toBeLessThanOrEqual(MAX_OUTSTANDING_BYTES + ROOM_BYTES);
    expect(text.length).toBeGreaterThan(MAX_OUTSTANDING_BYTES / 2);
  }, 120_000);
});

describe("the recipe's client", () => {
  it("runs as it stands: it prints the top of a moving book", async () => {
    const code = /```js\n(.*?)```/s.exec(readFileSync(RECIPE, "utf8"))?.[1] ?? "";
    const here = code
      .replace("ws://127.0.0.1:8787", system.address.replace("http", "ws"))
      .replace("binance-spot:LARGEUSDT", markets[0] ?? "");
    expect(here).not.toBe(code);
    const client = spawn(process.execPath, ["--input-type=module", "--eval", here], { stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    for (const stream of [client.stdout, client.stderr]) stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const hasTrade = (): boolean => /^(buy|sell) \d+ at \d+$/m.test(printed);
    await until("ten prices and a trade", 20_000, () => (printed.match(/^bid \d+ ask \d+$/gm)?.length ?? 0) >= 10 && hasTrade()).catch(
      () => {},
    );
    client.kill();
    expect(printed.match(/^bid \d+ ask \d+$/gm)?.length ?? printed).toBeGreaterThanOrEqual(10);
    expect(printed).toMatch(/^(buy|sell) \d+ at \d+$/m);
    expect(printed).not.toContain("Error");
  });
});
