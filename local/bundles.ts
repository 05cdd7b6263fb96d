/** `npm run bundles`: builds each deployable as a deployment would, uploads nothing, and prints what it weighs. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { DEPLOYABLES, QUIET_ENVIRONMENT, ROOT, WRANGLER } from "./deployables.ts";

const isJson = process.argv.includes("--json");
const folder = mkdtempSync(join(tmpdir(), "edgebook-bundles-"));
try {
  const sizes = DEPLOYABLES.map(({ name, configuration }) => {
    const output = execFileSync(process.execPath, [WRANGLER, "deploy", "--dry-run", "-c", configuration, "--outdir", join(folder, name)], {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, ...QUIET_ENVIRONMENT },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const match = /Total Upload: ([\d.]+ \w+) \/ gzip: ([\d.]+ \w+)/.exec(output);
    if (match?.[1] === undefined || match[2] === undefined) throw new Error(`wrangler printed no size for ${name}:\n${output}`);
    return { name, upload: match[1], gzip: match[2] };
  });
  print(sizes);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function print(sizes: readonly { name: string; upload: string; gzip: string }[]): void {
  if (isJson) {
    for (const size of sizes) console.log(JSON.stringify(size));
    return;
  }
  const table = new Table({ head: ["deployable", "upload", "gzip"], style: { head: [], border: [] } });
  for (const { name, upload, gzip } of sizes) table.push([name, upload, gzip]);
  console.log(table.toString());
}
