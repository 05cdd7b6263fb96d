/**
 * The walls of docs/architecture.md, broken on purpose: a rule that doesn't catch its breach would let the next one stand.
 *
 * Breaches are files of a scratch tree that has the project's own lint configuration, linted in one go; the compiler gets a project of one file.
 */

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..", "..");
const BIN = join(ROOT, "node_modules", ".bin");
const scratch = mkdtempSync(join(tmpdir(), "walls-"));
cpSync(join(ROOT, "biome.json"), join(scratch, "biome.json"));
cpSync(join(ROOT, "lint"), join(scratch, "lint"), { recursive: true });
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function lint(path: string, text: string): string {
  const file = join(scratch, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  const args = ["lint", "--vcs-enabled=false", "--max-diagnostics=none", path];
  const { stdout, stderr } = spawnSync(join(BIN, "biome"), args, { cwd: scratch, encoding: "utf8" });
  rmSync(file);
  return stdout + stderr;
}

const PURE = ["core/units/x.ts", "exchanges/binance/x.ts", "feed/x.ts", "models/mlp/x.ts", "agents/x.ts"];
const IMPURE = ["Date.now()", "new Date()", "Math.random()", "Math.pow(2, 3)", "2 ** 3"];

describe("pure folders", () => {
  it.each(PURE.flatMap((path) => IMPURE.map((expression) => [path, expression])))("%s may not say %s", (path, expression) => {
    expect(lint(path, `export const value = ${expression};\n`)).toMatch(/pure folder|rounding/);
  });

  it.each(PURE)("%s may speak of a time it was given", (path) => {
    expect(lint(path, "export const text = (time: number): string => new Date(time).toISOString();\n")).not.toMatch(/pure folder/);
  });
});

describe("imports", () => {
  it.each([
    ["core/units/x.ts", "zod", "core imports no package"],
    ["core/units/x.ts", "node:fs", "core imports no package"],
    ["core/book/x.ts", "../../exchanges/contract.ts", "core imports core alone"],
    ["exchanges/binance/x.ts", "../../feed/contract.ts", "exchanges import core"],
    ["exchanges/binance/x.ts", "ws", "exchanges import no package"],
    ["feed/x.ts", "../models/contract.ts", "feed imports core and exchanges alone"],
    ["models/mlp/x.ts", "../../exchanges/contract.ts", "models and agents import core"],
    ["models/mlp/x.ts", "hono", "no package but zod"],
    ["durable-objects/market-feed/x.ts", "hono", "objects import the pure folders"],
    ["durable-objects/market-feed/x.ts", "../../workers/env.ts", "objects import no Worker"],
    ["workers/api/x.ts", "../../training/export/golden.ts", "Workers import nothing offline"],
    ["workers/api/x.ts", "onnxruntime-web/wasm", "workers/inference alone"],
    ["training/train/x.ts", "../../workers/env.ts", "offline code imports no Worker"],
    ["exchange-simulator/x.ts", "../durable-objects/main.ts", "offline code imports no Worker"],
  ])("%s may not import %s", (path, source, message) => {
    expect(lint(path, `import { thing } from "${source}";\n\nexport const value = thing;\n`)).toContain(message);
  });

  it.each([
    ["feed/x.ts", "../exchanges/contract.ts"],
    ["workers/inference/x.ts", "onnxruntime-web/wasm"],
    ["models/x.ts", "zod"],
  ])("%s may import %s", (path, source) => {
    expect(lint(path, `import { thing } from "${source}";\n\nexport const value = thing;\n`)).not.toContain("noRestrictedImports");
  });
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
