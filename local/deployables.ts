/** The three scripts that edgebook deploys as, in the order in which they need one another. */

import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..");
export const WRANGLER = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");

export interface Deployable {
  readonly name: string;
  /** Its configuration, from the root. */
  readonly configuration: string;
}

export const DEPLOYABLES: readonly Deployable[] = [
  { name: "inference", configuration: join("workers", "inference", "wrangler.toml") },
  { name: "feed", configuration: join("durable-objects", "wrangler.toml") },
  { name: "public", configuration: "wrangler.toml" },
];

/**
 * wrangler neither reports on itself nor asks for anything, and keeps no traces of requests: those took 10 kB of memory a request, and a database
 * beside ours that grew by 2 kB a request (wrangler 4.155).
 */
export const QUIET_ENVIRONMENT = {
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};
