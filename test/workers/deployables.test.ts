/** What the three scripts must agree on, and what the pages may refer to. */

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const CONFIGURATIONS = ["wrangler.toml", "durable-objects/wrangler.toml", "workers/inference/wrangler.toml"];
const texts = CONFIGURATIONS.map((path) => readFileSync(path, "utf8"));

describe("the configurations of the three scripts", () => {
  it("name the same feeds: else the API would ask feeds that no object runs", () => {
    const feeds = texts.map((text) => /^FEEDS = '(.*)'$/m.exec(text)?.[1]);
    expect(feeds[0]).toMatch(/^\[\{"feed"/);
    expect(feeds[1]).toBe(feeds[0]);
  });

  it("run on the same compatibility date", () => {
    const dates = texts.map((text) => /^compatibility_date = "(.*)"$/m.exec(text)?.[1]);
    expect(new Set(dates)).toEqual(new Set(["2026-10-30"]));
  });

  it("bind each other by the names that they have", () => {
    const names = texts.map((text) => /^name = "(.*)"$/m.exec(text)?.[1]);
    expect(texts[0]).toContain(`script_name = "${names[1]}"`);
    expect(texts[0]).toContain(`service = "${names[2]}"`);
  });
});

describe("the pages", () => {
  it("load nothing from elsewhere: the documentation works without the internet", () => {
    execFileSync(process.execPath, [join("dashboard", "assemble.ts")]);
    const dist = join("dashboard", "dist");
    const pages = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
    expect(pages.sort()).toEqual([join("docs", "index.html"), "index.html"]);
    for (const page of pages) {
      const html = readFileSync(join(dist, page), "utf8");
      for (const [, address = ""] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
        if (address.startsWith("data:")) continue;
        expect(address).toMatch(/^\/[^/]/);
        const isFile = /\.(js|css)$/.test(address);
        if (isFile) expect(existsSync(join(dist, address))).toBe(true);
      }
    }
  });
});
