/** Losses prevented: a start script that waits for a simulator for ever, or leaves one behind. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { connect, get } from "./client.ts";

const MAIN = new URL("../../exchange-simulator/main.ts", import.meta.url).pathname;

let child: ChildProcess | null = null;

afterEach(() => {
  child?.kill("SIGKILL");
});

function run(...flags: string[]) {
  const started = spawn(process.execPath, [MAIN, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  child = started;
  return started;
}

describe("the simulator's command", () => {
  it("says in one line of JSON where it listens and which markets it has, and ends on SIGTERM with open sockets", async () => {
    const started = run("--markets", "3", "--seed", "8");
    const [line] = await once(createInterface({ input: started.stdout }), "line");
    const ready = JSON.parse(String(line));
    expect(ready).toMatchObject({ grids: "declared", markets: ["LARGEUSDT", "SMALLUSDT", "SIM003USDT"] });
    const client = await connect(ready.listening, "/ws/largeusdt@bookTicker");
    await client.until(() => true);
    expect(JSON.parse((await get(ready.listening, "/simulator/status")).text)).toMatchObject({ connections: 1, seed: 8 });
    const ended = once(started, "exit");
    started.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    await client.closed;
  });

  it("shows several venues on one port, and says where each is and what it calls its markets", async () => {
    const started = run("--venues", "coinbase-advanced,bitmex", "--symbols", "BTC-USD", "--list", "bitmex:XBTH27=BTC-USD", "--paused");
    const [line] = await once(createInterface({ input: started.stdout }), "line");
    const { listening, markets, venues } = JSON.parse(String(line));
    expect(markets).toEqual(["BTC-USD"]);
    const at = `127.0.0.1:${listening}`;
    expect(venues.bitmex).toEqual({ stream: `ws://${at}/bitmex`, rest: `http://${at}/bitmex`, symbols: ["XBTH27"] });
    expect(JSON.parse((await get(listening, "/truth/coinbase-advanced/BTC-USD")).text)).toMatchObject({ market: "BTC-USD", tick: "0.01" });
    expect(JSON.parse((await get(listening, "/simulator/status")).text)).toMatchObject({ isPaused: true });
  });

  it("draws random faults by a seed that it names where nobody gave one", async () => {
    const started = run("--fault-rate", "600", "--speed", "0", "--seconds", "60");
    const [line] = await once(createInterface({ input: started.stdout }), "line");
    const ready = JSON.parse(String(line));
    expect(ready.faultSeed).toBe(1);
  });

  it.each([
    ["a venue that isn't spoken", ["--venues", "kraken"], /kraken is no venue/],
    ["faults that are none", ["--faults", "package.json"], /fault undefined is none of/],
    ["a file of events that isn't there", ["--events", "nowhere.ndjson"], /nowhere\.ndjson can't be read/],
    ["a recording that isn't there", ["--replay", "nowhere.gz"], /nowhere\.gz can't be read/],
    ["a port that is no number", ["--port", "web"], /whole number/],
    ["a speed below 0", ["--speed=-1"], /0 or more/],
    ["once and loop together", ["--once", "--loop"], /cannot be used with/],
    ["no market", ["--markets", "0"], /1 to 1,000/],
  ])("refuses %s in a sentence, without a stack", async (_, flags, reason) => {
    const started = run(...flags);
    let told = "";
    started.stderr.on("data", (chunk) => {
      told += String(chunk);
    });
    const [code] = await once(started, "close");
    expect(code).toBe(1);
    expect(told).toMatch(reason);
    expect(told).not.toContain("    at ");
  });
});
