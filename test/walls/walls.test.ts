/**
 * The walls of docs/architecture.md, broken on purpose: a rule that doesn't catch its breach would let the next one stand.
 *
 * Breaches are files of a scratch tree that has the project's own lint configuration, linted in one go; the compiler gets a project of one file.
 */

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..", "..");
const BIN = join(ROOT, "node_modules", ".bin");
const scratch = mkdtempSync(join(tmpdir(), "walls-"));
cpSync(join(ROOT, "biome.json"), join(scratch, "biome.json"));
cpSync(join(ROOT, "lint"), join(scratch, "lint"), { recursive: true });
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Of Biome's JSON reporter, as far as it is used here. */
interface LintReport {
  readonly summary: { readonly unchanged: number };
  readonly diagnostics: readonly { readonly category: string; readonly message: string; readonly location: { readonly path: string } }[];
}

interface Breach {
  readonly path: string;
  readonly text: string;
}

const breaches = new Map<Breach, string>();

/** A file to be linted with all others. x.ts stands for any name, so each gets one of its own. */
function breach(path: string, text: string): Breach {
  const made = { path, text };
  breaches.set(made, path.replace(/\/x\.ts$/, `/x${breaches.size}.ts`));
  return made;
}

const said = new Map<string, string>();

beforeAll(() => {
  for (const [{ text }, file] of breaches) {
    mkdirSync(dirname(join(scratch, file)), { recursive: true });
    writeFileSync(join(scratch, file), text);
  }
  const args = ["lint", "--vcs-enabled=false", "--max-diagnostics=none", "--reporter=json", "."];
  const { stdout } = spawnSync(join(BIN, "biome"), args, { cwd: scratch, encoding: "utf8", maxBuffer: 1 << 28 });
  const { summary, diagnostics } = JSON.parse(stdout) as LintReport;
  expect(summary.unchanged).toBeGreaterThanOrEqual(breaches.size);
  for (const { category, message, location } of diagnostics)
    said.set(location.path, `${said.get(location.path) ?? ""}${category}: ${message}\n`);
});

/** What the linter says of it. */
function lint(of: Breach): string {
  return said.get(breaches.get(of) ?? "") ?? "";
}

const PURE = ["core/units/x.ts", "exchanges/binance/x.ts", "feed/x.ts", "models/mlp/x.ts", "agents/x.ts"];
const IMPURE = ["Date.now()", "new Date()", "Math.random()", "Math.pow(2, 3)", "2 ** 3"];
/** The same by other ways: what one folder's file is refused, every pure folder's is. */
const DISGUISED = [
  'Date["now"]()',
  "Date?.now()",
  "(Date).now()",
  "globalThis.Date.now()",
  "new globalThis.Date()",
  "new Date",
  "new Date(Date.now())",
  "new Date(...[])",
  "Date()",
  "Date",
  "((): number => { const { now } = Date; return now(); })()",
  'Reflect.get(Date, "now")',
  'Math["random"]()',
  "Math?.random()",
  "(Math as { random(): number }).random()",
  "{ Math }",
  "((): number => { const { random } = Math; return random(); })()",
  "((): number => { let x = 2; x **= 2; return x; })()",
  "[1].map(Math.log)",
  'new Intl.DateTimeFormat("en", { timeStyle: "full" }).format()',
  'Function("return Date.now()")()',
  'new Function("return Date.now()")()',
  'eval("Date.now()")',
  ..."hypot acos acosh asin asinh atan atan2 atanh cbrt cos cosh exp expm1 f16round log log10 log1p log2 pow sin sinh tan tanh"
    .split(" ")
    .map((name) => `Math.${name}(1)`),
];
const ALLOWED = [
  "(time: number): string => new Date(time).toISOString()",
  "(time: Date): number => time.getTime()",
  "new Date(2026, 0, 5)",
  "Date.UTC(2026, 0, 5)",
  'Date.parse("2026-01-05")',
  "[1.5].map(Math.floor)",
  ..."abs floor round ceil trunc sign min max sqrt imul clz32 fround".split(" ").map((name) => `Math.${name}(1, 2)`),
  ..."PI E LN2 LN10 LOG2E LOG10E SQRT2 SQRT1_2".split(" ").map((name) => `Math.${name}`),
];

describe("pure folders", () => {
  const saying = (path: string, expression: string) => [path, expression, breach(path, `export const value = ${expression};\n`)] as const;

  it.each(PURE.flatMap((path) => IMPURE.map((expression) => saying(path, expression))))("%s may not say %s", (_path, _expression, made) => {
    expect(lint(made)).toMatch(/pure folder|rounding/);
  });

  it.each(DISGUISED.map((expression) => saying("core/units/x.ts", expression)))("%s may not say %s", (_path, _expression, made) => {
    expect(lint(made)).toMatch(/pure folder|rounding/);
  });

  const allowed = ALLOWED.map((expression, index) => `export const value${index} = ${expression};\n`).join("");

  it.each(PURE.map((path) => [path, breach(path, allowed)] as const))(
    "%s may speak of a time it was given, and reckon with what is exact everywhere",
    (_path, made) => {
      expect(lint(made)).not.toMatch(/pure folder|rounding/);
    },
  );
});

describe("imports", () => {
  const importing = (path: string, source: string): Breach =>
    breach(path, `import { thing } from "${source}";\n\nexport const value = thing;\n`);

  it.each(
    (
      [
        ["core/units/x.ts", "zod", "core imports no package"],
        ["core/units/x.ts", "node:fs", "core imports no package"],
        ["core/book/x.ts", "../../exchanges/contract.ts", "core imports core alone"],
        ["exchanges/binance/x.ts", "../../feed/contract.ts", "exchanges import core"],
        ["exchanges/binance/x.ts", "ws", "exchanges import no package"],
        ["exchanges/binance/x.ts", "../kraken/decoder.ts", "a venue family imports no other one"],
        ["exchanges/binance/x.ts", "../../exchanges/kraken/decoder.ts", "a venue family imports no other one"],
        ["models/mlp/x.ts", "../trees/family.ts", "a model or agent imports no other one"],
        ["agents/x.ts", "../models/mlp/family.ts", "models and agents import core"],
        ["agents/twap/x.ts", "../../models/mlp/family.ts", "models and agents import core"],
        ["agents/twap/x.ts", "../maker/agent.ts", "a model or agent imports no other one"],
        ["feed/x.ts", "../models/contract.ts", "feed imports core and exchanges alone"],
        ["models/mlp/x.ts", "../../exchanges/contract.ts", "models and agents import core"],
        ["models/mlp/x.ts", "hono", "no package but zod"],
        ["durable-objects/market-feed/x.ts", "hono", "objects import the pure folders"],
        ["durable-objects/market-feed/x.ts", "../../workers/env.ts", "objects import no Worker"],
        ["workers/api/x.ts", "../../training/export/golden.ts", "Workers import nothing offline"],
        ["workers/api/x.ts", "onnxruntime-web/wasm", "workers/inference alone"],
        ["workers/api/x.ts", "ccxt", "Workers import hono"],
        ["workers/cron/x.ts", "vitest", "Workers import hono"],
        ["workers/api/x.ts", "../../bench/report.ts", "Workers import nothing offline"],
        ["workers/inference/x.ts", "../../test/models/manifest.ts", "Workers import nothing offline"],
        ["workers/inference/x.ts", "hono", "onnxruntime-web and the platform alone"],
        ["training/train/x.ts", "../../workers/env.ts", "offline code imports no Worker"],
        ["exchange-simulator/x.ts", "../durable-objects/main.ts", "offline code imports no Worker"],
        ["archive/import/x.ts", "../../training/progress.ts", "the archive imports the pure folders"],
        ["archive/export/x.ts", "../../workers/env.ts", "the archive imports the pure folders"],
        ["archive/x.ts", "../durable-objects/main.ts", "the archive imports the pure folders"],
        ["core/units/x.ts", "../../archive/line-reader.ts", "core imports core alone"],
        ["feed/x.ts", "../archive/line-reader.ts", "feed imports core and exchanges alone"],
        ["workers/api/x.ts", "../../archive/line-reader.ts", "Workers import nothing offline"],
        ["durable-objects/market-feed/x.ts", "../../archive/line-reader.ts", "objects import no Worker"],
      ] as const
    ).map(([path, source, message]) => [path, source, message, importing(path, source)] as const),
  )("%s may not import %s", (_path, _source, message, made) => {
    expect(lint(made)).toContain(message);
  });

  it.each(
    (
      [
        ["feed/x.ts", "../exchanges/contract.ts"],
        ["exchanges/binance/x.ts", "../contract.ts"],
        ["exchanges/binance/x.ts", "./decoder.ts"],
        ["exchanges/binance/x.ts", "../../core/units/decimal.ts"],
        ["exchanges/registry.ts", "./binance/spot.ts"],
        ["models/mlp/x.ts", "../contract.ts"],
        ["models/registry.ts", "./mlp/family.ts"],
        ["workers/inference/x.ts", "onnxruntime-web/wasm"],
        ["workers/api/x.ts", "@hono/zod-openapi"],
        ["workers/storage/x.ts", "drizzle-orm/d1"],
        ["workers/main.ts", "hono/cors"],
        ["models/x.ts", "zod"],
        ["archive/export/x.ts", "hyparquet-writer"],
        ["archive/export/x.ts", "../../feed/feed-reducer.ts"],
        ["training/command-line/x.ts", "../../archive/import/run-import.ts"],
      ] as const
    ).map(([path, source]) => [path, source, importing(path, source)] as const),
  )("%s may import %s", (_path, _source, made) => {
    expect(lint(made)).not.toContain("noRestrictedImports");
  });
});

describe("Workers and the feed's script", () => {
  const FROM = 'from "../durable-objects/market-feed/market-feed.ts";';

  const CODE = [
    `import { MarketFeed } ${FROM}`,
    `import { type MarketFeed, other } ${FROM}`,
    `export { MarketFeed } ${FROM}`,
    `export * ${FROM}`,
  ];

  it.each(CODE.map((statement) => [statement, breach("workers/x.ts", `${statement}\n`)] as const))(
    "share no code: %s",
    (_statement, made) => {
      expect(lint(made)).toContain("nothing but types from durable-objects");
    },
  );

  const late = breach("workers/inference/x.ts", 'export const value = import("../durable-objects/market-feed/market-feed.ts");\n');

  it("share no code that is imported when it runs", () => {
    expect(lint(late)).toContain("nothing but types from durable-objects");
  });

  const TYPES = [`import type { MarketFeed } ${FROM}`, `export type { MarketFeed } ${FROM}`];

  it.each(TYPES.map((statement) => [statement, breach("workers/x.ts", `/** Why. */\n\n${statement}\n`)] as const))(
    "may share types: %s",
    (_statement, made) => {
      expect(lint(made)).not.toContain("nothing but types");
    },
  );
});

describe("the compiler", () => {
  it.each(["console.log(1)", "setTimeout(() => 1, 1)", "new WebSocket('')", "process.exit()", "performance.now()", "new TextEncoder()"])(
    "knows no %s in a pure folder",
    (expression) => {
      const folder = mkdtempSync(join(ROOT, "node_modules", ".walls-"));
      try {
        writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: "../../core/tsconfig.json", include: ["*.ts"] }));
        writeFileSync(join(folder, "breach.ts"), `export const value = ${expression};\n`);
        const { status, stdout } = spawnSync(join(BIN, "tsc"), ["-p", folder], { cwd: ROOT, encoding: "utf8" });
        expect(stdout).toMatch(/Cannot find name/);
        expect(status).not.toBe(0);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
