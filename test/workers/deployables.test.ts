/** What the three scripts must agree on, and what the pages may refer to. */

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
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

  it("bind the same database and the same bucket: roles written by commands are those that the inference Worker reads", () => {
    const named = (name: string): (string | undefined)[] => texts.map((text) => new RegExp(`^${name} = "(.*)"$`, "m").exec(text)?.[1]);
    expect(named("database_name")).toEqual(["edgebook", undefined, "edgebook"]);
    expect(named("bucket_name")).toEqual(["edgebook-tapes", undefined, "edgebook-tapes"]);
  });

  it("bind each other by the names that they have", () => {
    const names = texts.map((text) => /^name = "(.*)"$/m.exec(text)?.[1]);
    expect(texts[0]).toContain(`script_name = "${names[1]}"`);
    expect(texts[0]).toContain(`service = "${names[2]}"`);
  });
});

describe("the pages", () => {
  it("assembled again leave every file as it is: a change would restart each system that runs from this tree, feeds included", () => {
    const assemble = (): Buffer => execFileSync(process.execPath, [join("dashboard", "assemble.ts")]);
    const dist = join("dashboard", "dist");
    // A folder's own times change with whatever is put into it or taken out.
    const times = (): [string, number][] =>
      [".", ...readdirSync(dist, { recursive: true, encoding: "utf8" })].map((name) => [name, statSync(join(dist, name)).mtimeMs]);
    assemble();
    const before = times();
    assemble();
    expect(before.length).toBeGreaterThan(4);
    expect(times()).toEqual(before);
  });

  it("are not written where their sources are watched: a build that sets itself off never ends", () => {
    const [text = ""] = texts;
    const output = /^directory = "(.*)"$/m.exec(text)?.[1] ?? "";
    const watched = /^watch_dir = "(.*)"$/m.exec(text)?.[1] ?? "";
    expect([existsSync(watched), output]).toEqual([true, "dashboard/dist"]);
    expect(`${output}/`.startsWith(`${watched}/`)).toBe(false);
  });

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
