/**
 * `npm run deploy`: bucket, the three scripts, migrations, the shipped models, in the order in which they need one another.
 *
 * Wants a Cloudflare account on the Workers Paid plan: `npx wrangler login` first, or CLOUDFLARE_API_TOKEN. `--dry-run` only builds.
 * `--public` leaves the feed alone: a deploy of the feed cuts its sockets.
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Command } from "commander";
import { DEPLOYABLES, ROOT, WRANGLER } from "./deployables.ts";

const program = new Command("npm run deploy --")
  .option("--dry-run", "build each script, publish nothing", false)
  .option("--public", "the public Worker and its migrations alone", false)
  .parse();
const { dryRun, public: isPublicOnly } = program.opts<{ dryRun: boolean; public: boolean }>();
const chosen = DEPLOYABLES.filter(({ name }) => !isPublicOnly || name === "public");

if (dryRun) {
  for (const { configuration } of chosen) wrangler(["deploy", "--dry-run", "-c", configuration]);
} else {
  wrangler(["r2", "bucket", "create", "edgebook-tapes"], { mayFail: true });
  for (const { configuration } of chosen) wrangler(["deploy", "-c", configuration]);
  wrangler(["d1", "migrations", "apply", "edgebook", "--remote"]);
  if (!isPublicOnly) node([join("training", "command-line", "main.ts"), "publish", "--shipped", "--remote"]);
}

/** @param options.mayFail the step may have been done before: its failure is shown and passed over. */
function wrangler(args: readonly string[], options: { mayFail?: boolean } = {}): void {
  node([WRANGLER, ...args], options);
}

function node(args: readonly string[], { mayFail = false }: { mayFail?: boolean } = {}): void {
  const { status } = spawnSync(process.execPath, [...args], { cwd: ROOT, stdio: "inherit" });
  if (status !== 0 && !mayFail) process.exit(status ?? 1);
}
