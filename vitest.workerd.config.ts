/**
 * Tests inside the Workers runtime. The bindings are those of the three wrangler.toml files, on storage that lives as long as a test file.
 * Whatever is fetched from the internet goes to the fake exchange (test/workerd/fake-exchange.ts).
 */

import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { longestFirst } from "./test/longest-first.ts";
import { stretchAsked } from "./test/training/edge-day-stretch.ts";

const COMPATIBILITY_DATE = "2026-10-30";
const FEEDS = JSON.stringify([{ feed: "main", venue: "binance-spot", symbols: ["BTCUSDT", "ETHUSDT"] }]);

const fakeExchange = stripTypeScriptTypes(readFileSync("./test/workerd/fake-exchange.ts", "utf8"));

/** Trains and exports a family of `models/` where onnxruntime-node runs: outside, and only for the tests that ask. */
async function trained(request: { readonly url: string }): Promise<Response> {
  const { answerRequest } = await import(new URL("./test/models/trainer-service.ts", import.meta.url).href);
  return answerRequest(new URL(request.url).pathname);
}

/** Node's side of the day that is replayed through the edge: training before it, evaluation behind it. */
async function edgeDay(request: Request): Promise<Response> {
  const { answerEdgeDay } = await import(new URL("./test/training/edge-day-service.ts", import.meta.url).href);
  return answerEdgeDay(new URL(request.url).pathname, await request.text());
}

export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      main: "./test/workerd/main.ts",
      miniflare: {
        compatibilityDate: COMPATIBILITY_DATE,
        bindings: {
          FEEDS,
          EDGE_DAY_HOURS: process.env.EDGE_DAY_HOURS ?? "",
          EDGE_DAY_STRETCH: JSON.stringify(stretchAsked(process.env)),
          SPLITS: "",
          VENUE_HOSTS: "{}",
          MIGRATIONS: await readD1Migrations("./migrations"),
        },
        d1Databases: ["DB"],
        r2Buckets: ["TAPES"],
        durableObjects: {
          FEED: { className: "MarketFeed", useSQLite: true },
          SIMULATED_FEED: { className: "SimulatedFeed", useSQLite: true },
        },
        serviceBindings: { EXCHANGE: "fake-exchange", TRAINER: trained, EDGE_DAY: edgeDay },
        outboundService: "fake-exchange",
        modulesRules: [
          { type: "Data", include: ["**/*.onnx"], fallthrough: true },
          { type: "CompiledWasm", include: ["**/*.wasm"], fallthrough: true },
        ],
        workers: [
          {
            name: "fake-exchange",
            compatibilityDate: COMPATIBILITY_DATE,
            modules: [{ type: "ESModule", path: "fake-exchange.js", contents: fakeExchange }],
            durableObjects: { EXCHANGE: { className: "FakeExchange" } },
          },
        ],
      },
    })),
  ],
  test: {
    name: "workerd",
    include: ["test/workerd/**/*.test.ts"],
    // They mostly wait, for a venue's silence or a flush: three runtimes at once keep two cores busy, and no more.
    maxWorkers: 3,
    sequence: {
      sequencer: longestFirst(
        ["edge-day", "edge-day-recording", "market-feed", "stream", "compaction"].map((name) => `test/workerd/${name}.test.ts`),
      ),
    },
    // Refusals are logged, and refusals are what is tested: only a failing test shows its log.
    silent: "passed-only",
    // More than a test or a hook can spend in waiting, each time as long as it may (PATIENCE).
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
