/** The bounds on a connection, at their edges: a client written against looser ones than the venue's is refused there, in production. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocketServer } from "ws";
import { Hub } from "../../exchange-simulator/hub.ts";
import { type Client, connect } from "./client.ts";

let hub: Hub;
let server: WebSocketServer;

beforeEach(async () => {
  hub = new Hub();
  server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => hub.add(socket, false, ["x@trade"]));
  await once(server, "listening");
});

afterEach(() => {
  vi.restoreAllMocks();
  hub.stop();
  server.close();
});

describe("a connection", () => {
  it("may send five messages in each second, and is closed at the sixth", async () => {
    const now = vi.spyOn(Date, "now").mockReturnValue(1_000);
    const client = await join();
    ask(client, 5);
    await answers(client, 5);
    now.mockReturnValue(2_000);
    ask(client, 5);
    await answers(client, 10);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    ask(client, 1);
    expect(await client.closed).toBe(1008);
    expect(client.frames).toHaveLength(10);
  });

  it("may hear 1,024 streams, and keeps those when one more is refused", async () => {
    const client = await join();
    // One is in its URL.
    const streams = Array.from({ length: 1_023 }, (_, index) => `s${index}@trade`);
    client.socket.send(JSON.stringify({ method: "SUBSCRIBE", params: streams, id: 1 }));
    await answers(client, 1);
    client.socket.send(JSON.stringify({ method: "SUBSCRIBE", params: ["more@trade"], id: 2 }));
    await answers(client, 2);
    expect(client.frames.map((frame) => JSON.parse(frame))).toEqual([
      { result: null, id: 1 },
      { error: { code: 2, msg: "Invalid request: too many streams" }, id: 2 },
    ]);
    expect([hub.hasSubscriber("s1022@trade"), hub.hasSubscriber("more@trade")]).toEqual([true, false]);
  });

  it("that reads nothing is cut before it fills the memory, and those that read go on", async () => {
    const [silent, reading] = [await join(), await join()];
    silent.socket.pause();
    const megabyte = "x".repeat(1_048_576);
    // 64 MB may wait for it, besides what the system's own buffers take; ten times that is sent.
    for (let sent = 0; sent < 640 && hub.connectionCount === 2; sent++) {
      hub.publish("x@trade", megabyte);
      await answers(reading, sent + 1);
    }
    expect(hub.connectionCount).toBe(1);
    expect(reading.socket.readyState).toBe(reading.socket.OPEN);
    expect(reading.frames.length).toBeGreaterThanOrEqual(64);
    silent.socket.terminate();
  });
});

async function join(): Promise<Client> {
  return connect((server.address() as AddressInfo).port, "/");
}

function ask(client: Client, times: number): void {
  for (let index = 0; index < times; index++) client.socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}');
}

/** Resolves when the client has had so many frames. */
async function answers(client: Client, count: number): Promise<void> {
  await client.until((_, index) => index === count - 1);
}
