/**
 * Lays out dashboard/dist, the files that are served without the Worker: the pages here, and Swagger UI from its package, so that the
 * documentation page works without the internet. Run by wrangler before it serves or deploys (wrangler.toml, [build]).
 */

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const here = import.meta.dirname;
const out = join(here, "dist");
const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "docs"), { recursive: true });
cpSync(join(here, "index.html"), join(out, "index.html"));
cpSync(join(here, "docs.html"), join(out, "docs", "index.html"));
cpSync(join(here, "docs.js"), join(out, "docs", "docs.js"));
for (const file of ["swagger-ui.css", "swagger-ui-bundle.js", "LICENSE", "NOTICE"]) cpSync(join(swagger, file), join(out, "docs", file));
