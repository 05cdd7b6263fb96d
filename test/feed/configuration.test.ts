import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { featureSetsOf, feedOfMarket, parseFeeds, parseVenueHosts } from "../../feed/configuration.ts";

describe("FEEDS", () => {
  it("is read into feeds, and a market is found in the one that holds it", () => {
    const feeds = parseFeeds(
      '[{"feed":"main","venue":"binance-spot","symbols":["BTCUSDT"]},{"feed":"eth","venue":"binance-spot","symbols":["ETHUSDT"]}]',
    );
    if ("malformed" in feeds) throw new Error(feeds.malformed);
    expect(feedOfMarket(feeds, "binance-spot:ETHUSDT")?.feed).toBe("eth");
    expect(feedOfMarket(feeds, "binance-spot:XRPUSDT")).toBeNull();
  });

  it("says how many levels a feed's snapshots keep, or nothing", () => {
    const feeds = parseFeeds('[{"feed":"a","venue":"v","symbols":["X"],"levels":100},{"feed":"b","venue":"v","symbols":["Y"]}]');
    expect(feeds).toEqual([
      { feed: "a", object: "main", venue: "v", symbols: ["X"], levels: 100 },
      { feed: "b", object: "main", venue: "v", symbols: ["Y"] },
    ]);
  });

  it("says which silences of a feed's books are noted, or nothing", () => {
    const feeds = parseFeeds(
      '[{"feed":"a","venue":"v","symbols":["X"],"silenceMs":2000,"levels":5},{"feed":"b","venue":"v","symbols":["Y"],"silenceMs":1000}]',
    );
    expect(feeds).toEqual([
      { feed: "a", object: "main", venue: "v", symbols: ["X"], levels: 5, silenceMs: 2_000 },
      { feed: "b", object: "main", venue: "v", symbols: ["Y"], silenceMs: 1_000 },
    ]);
  });

  it("says how often a feed's books are audited, or nothing", () => {
    const feeds = parseFeeds('[{"feed":"a","venue":"v","symbols":["X"],"auditMs":1800000},{"feed":"b","venue":"v","symbols":["Y"]}]');
    expect(feeds).toEqual([
      { feed: "a", object: "main", venue: "v", symbols: ["X"], auditMs: 1_800_000 },
      { feed: "b", object: "main", venue: "v", symbols: ["Y"] },
    ]);
  });

  it("says which features of a feed's markets are computed, or nothing: the default of then", () => {
    const feeds = parseFeeds('[{"feed":"a","venue":"v","symbols":["X"],"features":["v2","a"]},{"feed":"b","venue":"v","symbols":["Y"]}]');
    if ("malformed" in feeds) throw new Error(feeds.malformed);
    expect(feeds[0]).toEqual({ feed: "a", object: "main", venue: "v", symbols: ["X"], features: ["v2", "a"] });
    expect(feeds[1]).not.toHaveProperty("features");
    expect(feeds.map((feed) => featureSetsOf(feed).map(({ id }) => id))).toEqual([
      ["v2", "a"],
      ["v1", "v2", "volumes-10"],
    ]);
  });

  it("lets all feeds share one object but those that name another: each object that never sleeps is paid for", () => {
    const feeds = parseFeeds('[{"feed":"a","venue":"v","symbols":["X"],"object":"busy"},{"feed":"b","venue":"w","symbols":["Y"]}]');
    expect(feeds).toMatchObject([{ object: "busy" }, { object: "main" }]);
    expect(parseFeeds('[{"feed":"a","venue":"v","symbols":["X"],"object":"Not A Name"}]')).toHaveProperty("malformed");
  });

  it.each([
    ["not JSON", "FEEDS", /JSON list/],
    ["empty", "[]", /at least one feed/],
    ["a feed without a name", '[{"venue":"binance-spot","symbols":["A"]}]', /name/],
    ["no symbols", '[{"feed":"main","venue":"binance-spot","symbols":[]}]', /symbols/],
    ["levels of none", '[{"feed":"a","venue":"v","symbols":["X"],"levels":0}]', /levels of feed a.*from 1 to 1000.*0/],
    ["levels beyond the most", '[{"feed":"a","venue":"v","symbols":["X"],"levels":1001}]', /from 1 to 1000/],
    ["levels in words", '[{"feed":"a","venue":"v","symbols":["X"],"levels":"20"}]', /whole number.*"20"/],
    [
      "more levels in all than a minute's row holds, which would never be stored",
      JSON.stringify([{ feed: "a", venue: "v", symbols: Array.from({ length: 21 }, (_, index) => `S${index}`), levels: 1_000 }]),
      /21 symbols of 1000 levels: at most 20000/,
    ],
    [
      "silences so short that each is a row",
      '[{"feed":"a","venue":"v","symbols":["X"],"silenceMs":999}]',
      /silenceMs of feed a.*from 1000 on.*999/,
    ],
    ["silences in words", '[{"feed":"a","venue":"v","symbols":["X"],"silenceMs":"2s"}]', /whole number.*"2s"/],
    [
      "audits so often that there would always be two connections",
      '[{"feed":"a","venue":"v","symbols":["X"],"auditMs":59999}]',
      /auditMs of feed a.*from 60000 on.*59999/,
    ],
    [
      "features that nobody computes",
      '[{"feed":"a","venue":"v","symbols":["X"],"features":["v1","v9"]}]',
      /features of feed a must be a list of v1, v2, .*\["v1","v9"\]/,
    ],
    ["features of none", '[{"feed":"a","venue":"v","symbols":["X"],"features":[]}]', /features of feed a.*\[\]/],
    ["features twice", '[{"feed":"a","venue":"v","symbols":["X"],"features":["v1","v1"]}]', /at most once/],
    ["features in one word", '[{"feed":"a","venue":"v","symbols":["X"],"features":"v1"}]', /must be a list/],
    ["features of nothing", '[{"feed":"a","venue":"v","symbols":["X"],"features":null}]', /are: null/],
    ["features by number", '[{"feed":"a","venue":"v","symbols":["X"],"features":[1]}]', /are: \[1\]/],
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
