/** The feed Worker's entry: it has no HTTP of its own, other Workers call its objects by RPC. */

export { MarketFeed } from "./market-feed/market-feed.ts";

export default {
  fetch(): Response {
    return new Response("This Worker is called by RPC alone.\n", { status: 404 });
  },
} satisfies ExportedHandler;
