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

  it.each([
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
