import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { feedOfMarket, parseFeeds, parseVenueHosts } from "../../feed/configuration.ts";

describe("FEEDS", () => {
  it("is read into feeds, and a market is found in the one that holds it", () => {
    const feeds = parseFeeds(
      '[{"feed":"main","venue":"binance-spot","symbols":["BTCUSDT"]},{"feed":"eth","venue":"binance-spot","symbols":["ETHUSDT"]}]',
    );
    if ("malformed" in feeds) throw new Error(feeds.malformed);
    expect(feedOfMarket(feeds, "binance-spot:ETHUSDT")?.feed).toBe("eth");
    expect(feedOfMarket(feeds, "binance-spot:XRPUSDT")).toBeNull();
  });

  it.each([
    ["not JSON", "FEEDS", /JSON list/],
    ["empty", "[]", /at least one feed/],
    ["a feed without a name", '[{"venue":"binance-spot","symbols":["A"]}]', /name/],
    ["no symbols", '[{"feed":"main","venue":"binance-spot","symbols":[]}]', /symbols/],
    ["a symbol with a slash", '[{"feed":"main","venue":"binance-spot","symbols":["A/B"]}]', /symbols/],
    [
      "a market in two feeds, which would be recorded twice",
      '[{"feed":"a","venue":"binance-spot","symbols":["X"]},{"feed":"b","venue":"binance-spot","symbols":["X"]}]',
      /twice/,
    ],
  ])("says what is wrong with one that is %s", (_, text, message) => {
    const feeds = parseFeeds(text);
    expect("malformed" in feeds ? feeds.malformed : "it was accepted").toMatch(message);
  });

  it("is the same text for the public Worker and the feed Worker, which would otherwise look for markets in the wrong object", () => {
    const root = resolve(import.meta.dirname, "..", "..");
    const feedsOf = (file: string): string | undefined => /^FEEDS = '(.*)'$/m.exec(readFileSync(resolve(root, file), "utf8"))?.[1];
    expect(feedsOf("wrangler.toml")).toBeDefined();
    expect(feedsOf("wrangler.toml")).toBe(feedsOf("durable-objects/wrangler.toml"));
  });
});

describe("VENUE_HOSTS", () => {
  it("names hosts by venue, and may be empty", () => {
    expect(parseVenueHosts("")).toEqual(new Map());
    expect(parseVenueHosts('{"binance-spot":{"stream":"ws://a","rest":"http://a"}}')).toEqual(
      new Map([["binance-spot", { stream: "ws://a", rest: "http://a" }]]),
    );
  });

  it("refuses half an entry", () => {
    expect(parseVenueHosts('{"binance-spot":{"stream":"ws://a"}}')).toHaveProperty("malformed");
  });
});
