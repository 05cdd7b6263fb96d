/** A reader follows a link and copies a command: neither may lead nowhere, and no command may be there that no document names. */

import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..", "..");
const DOCUMENTS = globSync(["*.md", "*/README.md", "*/*/README.md", "docs/**/*.md"], { cwd: ROOT, exclude: ["**/node_modules"] }).sort();

describe.each(DOCUMENTS)("%s", (document) => {
  it("links to files and headings that are there", () => {
    expect(linksOf(document).filter((link) => !leads(document, link))).toEqual([]);
  });
});

it("no link is held to be there because it was not found in the text", () => {
  expect(linksOf("README.md")).toContain("docs/operations.md#models-publishing-going-back-shadows");
  expect(leads("README.md", "docs/nowhere.md")).toBe(false);
  expect(leads("README.md", "docs/operations.md#nowhere")).toBe(false);
});

it.each([
  ["training/command-line/main.ts", "README.md", (name: string) => `npx edgebook ${name} `],
  ["bench/main.ts", "docs/testing.md", (name: string) => `\n| ${name} `],
] as const)("each command of %s is in %s", (main, document, written) => {
  const text = read(document);
  const commands = commandsOf(execFileSync(process.execPath, [main, "--help"], { cwd: ROOT, encoding: "utf8" }));
  expect(commands.length).toBeGreaterThan(10);
  expect(commands.filter((name) => !text.includes(written(name)))).toEqual([]);
});

it("each script of package.json is in a document", () => {
  const { scripts } = JSON.parse(read("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
  const text = DOCUMENTS.map(read).join("\n");
  expect(Object.keys(scripts).filter((name) => !new RegExp(`npm (run )?${name}(?![\\w:-])`).test(text))).toEqual([]);
});

/** Relative ones, outside blocks of code. */
function linksOf(document: string): string[] {
  const text = read(document).replaceAll(/```.*?```/gs, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link).filter((link) => !/^[a-z]+:/.test(link));
}

function leads(document: string, link: string): boolean {
  const [path = "", heading] = link.split("#");
  const target = path === "" ? document : join(dirname(document), path);
  if (!existsSync(join(ROOT, target))) return false;
  return heading === undefined || headingsOf(target).includes(heading);
}

/** As GitHub names them in links. */
function headingsOf(document: string): string[] {
  return [...read(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The names below "Commands:", but for help itself. */
function commandsOf(help: string): string[] {
  const listed = help.slice(help.indexOf("Commands:"));
  return [...listed.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = ""]) => name).filter((name) => name !== "help");
}

function read(document: string): string {
  return readFileSync(join(ROOT, document), "utf8");
}
