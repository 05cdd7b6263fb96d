/**
 * The feed object in simulated time: MarketFeed itself, with its store, its recorder and its RPC, on the simulator's world in place of sockets and clock.
 * A test puts a world on the stage before the object begins, and advances it inside the object (runInDurableObject), where its storage may be used.
 */

import { MarketFeed } from "../../durable-objects/main.ts";
import type { FeedEnv } from "../../durable-objects/market-feed/market-feed.ts";
import type { PlatformPortOptions } from "../../durable-objects/market-feed/platform-port.ts";
import { SimulatedPort } from "../../exchange-simulator/simulated-port.ts";
import type { SimulatedTime } from "../../exchange-simulator/simulated-time.ts";
import type { SessionPort } from "../../feed/session/session-port.ts";

export interface Stage {
  readonly time: SimulatedTime;
  /** In place of the bindings' own. */
  readonly feeds: string;
}

/** The test and the object share an isolate. */
let stage: Stage | null = null;

export function setStage(next: Stage): void {
  stage = next;
}

export class SimulatedFeed extends MarketFeed {
  constructor(ctx: DurableObjectState, env: FeedEnv) {
    super(ctx, { ...env, FEEDS: staged().feeds });
  }

  protected override portOf({ adapter, wake }: PlatformPortOptions): SessionPort {
    // The longest wait between two dials, always.
    return new SimulatedPort({ time: staged().time, venue: adapter.venue, uniform: () => 0.999, wake });
  }
}

function staged(): Stage {
  if (stage === null) throw new Error("no world is on the stage: setStage first");
  return stage;
}
