/** Losses prevented: a decoder that reads what the simulator writes, and not what the venue does. Each kind of recorded message, key by key. */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { generatedWorld, START, subscribe, symbolsOf } from "./venue-world.ts";

const BITMEX = recording("wire/bitmex-2021-07-22.ws.txt.gz");
const BITMEX_REST = recording("wire/bitmex-2021-07-22.rest.txt.gz");
const EXCHANGE = recording("wire/coinbase-exchange-2021-04-17.ws.txt.gz");
const COIN_M = recording("wire/binance-cm-btcusd-perp-20240808.ndjson.gz");

/** Frames of a file of lines `<time>: <frame>` or `<time> <frame>`; the client's own messages and other lines are left out. */
function framesOf(file: string): string[] {
  const lines = gunzipSync(readFileSync(file)).toString("utf8").split("\n");
  return lines.map((line) => /^[\d.]+:? (\{.*\})$/.exec(line)?.[1] ?? "").filter((frame) => frame !== "");
}

/**
 * A value's layout: keys in their order, kinds of values, and how decimals are written as text. Lists show the layouts that occur in them, each once.
 */
function layoutOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    const layouts = value.map((item) => JSON.stringify(layoutOf(item)));
    return [...new Set(layouts)].map((text) => JSON.parse(text) as unknown);
  }
  if (typeof value === "object" && value !== null) return Object.entries(value).map(([key, item]) => [key, layoutOf(item)]);
  if (typeof value !== "string") return value === null ? "null" : typeof value;
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/.test(value)) return `time with ${value.length} characters`;
  return /^\d+(\.\d+)?$/.test(value) ? "decimal as text" : "text";
}

/** One layout for each kind of message that occurs. Lists that may be empty are told apart: an empty one says nothing of its items. */
function layoutsByKind(frames: readonly string[], kindOf: (message: Record<string, unknown>) => string): Map<string, Set<string>> {
  const kinds = new Map<string, Set<string>>();
  for (const frame of frames) {
    const message = JSON.parse(frame) as Record<string, unknown>;
    const kind = kindOf(message);
    const layouts = kinds.get(kind) ?? new Set();
    kinds.set(kind, layouts.add(JSON.stringify(layoutOf(message))));
  }
  return kinds;
}

/** Every layout of ours is one of the venue's, for each kind that ours tells; and ours tells each kind that was recorded. */
function expectSame(ours: Map<string, Set<string>>, recorded: Map<string, Set<string>>): void {
  expect([...ours.keys()].toSorted()).toEqual([...recorded.keys()].toSorted());
  for (const [kind, layouts] of ours)
    for (const layout of layouts) expect([kind, [...(recorded.get(kind) ?? [])]]).toEqual([kind, expect.arrayContaining([layout])]);
}

async function told(venue: string): Promise<string[]> {
  const world = await generatedWorld(60, { venues: [venue], form: "2021" });
  const client = subscribe(world, venue, symbolsOf(venue));
  world.advanceTo(START + 62_000);
  return client.take();
}

describe(`our layouts against the venues' ${WITHOUT_RECORDINGS}`, () => {
  it.skipIf(BITMEX === null)("BitMEX: the welcome, answers, partials, inserts, updates and deletes of 2021", async () => {
    const kindOf = (message: Record<string, unknown>) =>
      (message.table === undefined ? Object.keys(message)[0] : `${message.table} ${message.action}`) ?? "";
    const recorded = layoutsByKind(framesOf(BITMEX ?? ""), kindOf);
    const ours = layoutsByKind(await told("bitmex"), kindOf);
    // The venue tells topics of a request in its answer as they came: ours came in the URL, as a list too.
    expectSame(ours, recorded);
    expect(recorded.size).toBe(10);
  });

  it.skipIf(BITMEX_REST === null)("BitMEX: each member of an instrument that we give is one that the venue gives", async () => {
    const line =
      gunzipSync(readFileSync(BITMEX_REST ?? ""))
        .toString("utf8")
        .split("\n")
        .find((text) => text.includes("/instrument/active -> ")) ?? "";
    const recorded = JSON.parse(line.slice(line.indexOf(": [") + 2)) as Record<string, unknown>[];
    const world = await generatedWorld(5, { venues: ["bitmex"] });
    const { answer } = world.rest("bitmex", { method: "GET", path: "/api/v1/instrument/active", query: new URLSearchParams() });
    const [ours] = JSON.parse(answer.body) as Record<string, unknown>[];
    const kinds = (name: string) => new Set(recorded.map((row) => layoutOf(row[name])));
    for (const [name, value] of Object.entries(ours ?? {}))
      expect([name, [...kinds(name)]]).toEqual([name, expect.arrayContaining([layoutOf(value)])]);
  });

  it.skipIf(EXCHANGE === null)("Coinbase Exchange: subscriptions, snapshots, changes, matches and tickers of 2021", async () => {
    const kindOf = (message: Record<string, unknown>) => String(message.type);
    const recorded = layoutsByKind(framesOf(EXCHANGE ?? ""), kindOf);
    const ours = layoutsByKind(await told("coinbase-exchange"), kindOf);
    // Nobody subscribed to heartbeats there.
    ours.delete("heartbeat");
    expectSame(ours, recorded);
    expect(recorded.size).toBe(6);
  });

  it.skipIf(COIN_M === null)("Binance COIN-M: depth", async () => {
    const isDepth = (frame: string) => frame.includes('"depthUpdate"');
    const kindOf = () => "depth";
    const recorded = layoutsByKind(framesOf(COIN_M ?? "").filter(isDepth), kindOf);
    expectSame(layoutsByKind((await told("binance-coin-m")).filter(isDepth), kindOf), recorded);
  });
});

describe("today's layouts", () => {
  it("BitMEX: a price and two times on every row, ids that say nothing of the price", async () => {
    const world = await generatedWorld(30, { venues: ["bitmex"] });
    const client = subscribe(world, "bitmex", ["XBTUSD"]);
    world.advanceTo(START + 32_000);
    const rows = client
      .take()
      .map((text) => JSON.parse(text))
      .filter(({ table }) => table === "orderBookL2")
      .flatMap(({ action, data }) => data.map((row: Record<string, unknown>) => ({ action, row })));
    const keys = (action: string) => new Set(rows.filter((row) => row.action === action).map(({ row }) => Object.keys(row).join()));
    expect(keys("partial")).toEqual(new Set(["symbol,id,side,size,price,timestamp,transactTime"]));
    expect(keys("insert")).toEqual(keys("partial"));
    expect(keys("update")).toEqual(keys("partial"));
    expect(keys("delete")).toEqual(new Set(["symbol,id,side,price,timestamp,transactTime"]));
    const steps = new Set(rows.map(({ row }) => Math.round(Number(row.id) + Number(row.price) * 100)));
    expect(steps.size).toBeGreaterThan(10);
  });

  it("Coinbase Advanced Trade: as its AsyncAPI document and a message of 2026-09 have it", async () => {
    const world = await generatedWorld(30, { venues: ["coinbase-advanced"] });
    const client = subscribe(world, "coinbase-advanced", ["BTC-USD"]);
    world.advanceTo(START + 32_000);
    const first = new Map<string, Record<string, unknown>>();
    for (const text of client.take()) {
      const message = JSON.parse(text);
      const kind = `${message.channel} ${message.events[0].type ?? ""}`;
      if (!first.has(kind)) first.set(kind, message);
    }
    expect(first.get("l2_data snapshot")).toMatchObject({ client_id: "", events: [{ product_id: "BTC-USD" }] });
    expect(layoutOf(first.get("l2_data update"))).toEqual([
      ["channel", "text"],
      ["client_id", "text"],
      ["timestamp", "time with 27 characters"],
      ["sequence_num", "number"],
      [
        "events",
        [
          [
            ["type", "text"],
            ["product_id", "text"],
            [
              "updates",
              [
                [
                  ["side", "text"],
                  ["event_time", "time with 27 characters"],
                  ["price_level", "decimal as text"],
                  ["new_quantity", "decimal as text"],
                ],
              ],
            ],
          ],
        ],
      ],
    ]);
    const trade = [
      ["trade_id", "decimal as text"],
      ["product_id", "text"],
      ["price", "decimal as text"],
      ["size", "decimal as text"],
      ["time", "time with 27 characters"],
      ["side", "text"],
    ];
    expect(layoutOf(first.get("market_trades snapshot")?.events)).toEqual([
      [
        ["type", "text"],
        ["trades", [trade]],
      ],
    ]);
    expect(layoutOf(first.get("market_trades update")?.events)).toEqual([
      [
        ["type", "text"],
        ["trades", [trade]],
      ],
    ]);
    expect(layoutOf(first.get("heartbeats ")?.events)).toEqual([
      [
        ["current_time", "text"],
        ["heartbeat_counter", "number"],
      ],
    ]);
    expect([...first.keys()].toSorted()).toEqual([
      "candles snapshot",
      "candles update",
      "heartbeats ",
      "l2_data snapshot",
      "l2_data update",
      "market_trades snapshot",
      "market_trades update",
      "subscriptions ",
      "ticker snapshot",
      "ticker update",
    ]);
  });
});
