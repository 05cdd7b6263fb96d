/** What the server asks of whatever makes the markets: a recording, or the generative market. */

import type { MarketGrids } from "./frame-text.ts";
import type { Hub } from "./hub.ts";
import type { Bar } from "./minute-bars.ts";

/** The body of a depth request; `unavailable` where the venue would have a book and this source can't. */
export type DepthAnswer = { body: string } | { unavailable: string };

export interface MarketSource {
  /** "declared" where the grids are the market's own, "inferred" where they were found from the decimals in use. */
  readonly gridsAre: "declared" | "inferred";
  readonly markets: ReadonlyMap<string, MarketGrids>;
  /** The venue's clock, epoch ms. */
  readonly venueTime: number;
  /** Asked only for a symbol of `markets`. */
  depth(symbol: string, limit: number): DepthAnswer;
  /** The depth body of a symbol has been sent in full. */
  depthDelivered(symbol: string): void;
  /** Oldest first, the running one last. */
  bars(symbol: string): readonly Bar[];
  /** Begins to tell the hub; resolves when there is nothing more to tell, or after `stop`. Called once. */
  run(hub: Hub): Promise<void>;
  stop(): void;
  /** For `/simulator/status`: plain values. */
  status(): Readonly<Record<string, unknown>>;
}
