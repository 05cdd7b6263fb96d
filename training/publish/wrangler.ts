/** Runs wrangler, with its own login, from the root. */

import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CommandError } from "../command-error.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** In the root's wrangler.toml. */
export const BUCKET = "edgebook-tapes";
export const DATABASE = "edgebook";
/** A manifest with the golden windows of the largest models has some megabytes. */
const MAX_OUTPUT_BYTES = 64_000_000;

/** It asks nothing and says nothing of itself; what a command answers is printed at the level of its log. */
const ENVIRONMENT = { CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", WRANGLER_LOG: "log" };

/** @returns what it printed. @throws CommandError with what it said. */
export async function wrangler(args: readonly string[]): Promise<string> {
  const require = createRequire(import.meta.url);
  const script = join(dirname(require.resolve("wrangler/package.json")), "bin", "wrangler.js");
  const options = { cwd: ROOT, maxBuffer: MAX_OUTPUT_BYTES, env: { ...process.env, ...ENVIRONMENT } };
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], options).catch(
    (error: { stderr?: string; stdout?: string; message: string }) => {
      const said = [error.stderr, error.stdout].filter(Boolean).join("\n").trim() || error.message;
      throw new CommandError(
        `wrangler ${args.slice(0, 4).join(" ")} failed (log in with \`npx wrangler login\`, and deploy with \`npm run deploy\`, which makes bucket and database):\n${said}`,
      );
    },
  );
  return stdout;
}
