/** What the server of a recording asks of it: what REST is answered from, and the telling. */

import type { Hub } from "./hub.ts";
import type { RestMarkets } from "./protocols/binance/rest.ts";

export interface MarketSource extends RestMarkets {
  /** The depth body of a symbol has been sent in full. */
  depthDelivered(symbol: string): void;
  /** Begins to tell the hub; resolves when there is nothing more to tell, or after `stop`. Called once. */
  run(hub: Hub): Promise<void>;
  stop(): void;
  /** For `/simulator/status`: plain values. */
  status(): Readonly<Record<string, unknown>>;
}
