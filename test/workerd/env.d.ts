/** What vitest.workerd.config.ts binds. */

declare namespace Cloudflare {
  interface Env {
    readonly DB: D1Database;
    readonly TAPES: R2Bucket;
    readonly FEED: DurableObjectNamespace<import("../../durable-objects/main.ts").MarketFeed>;
    /** The same object in simulated time (simulated-feed.ts). */
    readonly SIMULATED_FEED: DurableObjectNamespace<import("./simulated-feed.ts").SimulatedFeed>;
    readonly EXCHANGE: Fetcher;
    /** Node's side: /family/kind answers the manifest and behind it the file of a model that it has just trained. */
    readonly TRAINER: Fetcher;
    /** Node's side: /models trains and publishes, /stretch and /events read a recording, /tape and /scores evaluate a tape. */
    readonly EDGE_DAY: Fetcher;
    readonly EDGE_DAY_HOURS: string;
    /** A RecordingStretch as JSON; "null" where there is no recording. */
    readonly EDGE_DAY_STRETCH: string;
    readonly FEEDS: string;
    readonly SPLITS: string;
    readonly VENUE_HOSTS: string;
    readonly MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
  interface GlobalProps {
    mainModule: typeof import("./main.ts");
  }
}
