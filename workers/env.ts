/** What wrangler.toml binds to the public Worker. */

import type { InferenceRpc } from "./inference/contract.ts";

export interface PublicEnv {
  readonly DB: D1Database;
  readonly TAPES: R2Bucket;
  /** The feed script's objects; spoken to through feed-client.ts. */
  readonly FEED: DurableObjectNamespace;
  readonly INFERENCE: InferenceRpc;
  /** JSON, read by feed-directory.ts. */
  readonly FEEDS: string;
  /** JSON, read by split-schedule.ts. */
  readonly SPLITS: string;
  /** Read by retention.ts; absent: minute objects stay. */
  readonly KEEP_MINUTES_DAYS?: string;
}
