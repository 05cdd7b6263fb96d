/**
 * Lays out dashboard/dist, the files that are served without the Worker: the pages of dashboard/pages, and Swagger UI from its package, so
 * that the documentation page works without the internet. Run by wrangler before it serves or deploys (wrangler.toml, [build]).
 *
 * A running wrangler watches what it serves and restarts every Worker when a file there changes, feeds included. So a file is written only
 * when its bytes differ: run again with nothing changed, this changes nothing, whoever is serving from the tree.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const pages = join(import.meta.dirname, "pages");
const out = join(import.meta.dirname, "dist");
const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const SWAGGER_FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "LICENSE", "NOTICE"];

const sources = new Map([
  ...filesBelow(pages).map((name): [string, string] => [name, join(pages, name)]),
  ...SWAGGER_FILES.map((name): [string, string] => [join("docs", name), join(swagger, name)]),
]);
for (const [name, source] of sources) write(name, readFileSync(source));
for (const name of filesBelow(out)) if (!sources.has(name)) rmSync(join(out, name));

function write(name: string, bytes: Buffer): void {
  const target = join(out, name);
  if (existsSync(target) && readFileSync(target).equals(bytes)) return;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bytes);
}

/** Paths from the folder on; none where there is no folder. */
function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
