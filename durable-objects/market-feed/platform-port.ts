/** The world that a feed's session runs in, made of the platform's clock, sockets and requests. */

import type { ExchangeAdapter, VenueKey } from "../../exchanges/contract.ts";
import type { SessionPort } from "../../feed/session/session-port.ts";
import { logFault } from "./log-fault.ts";
import { platformSigner } from "./signer.ts";
import { askVenue } from "./venue-rest.ts";
import { dial } from "./venue-socket.ts";

export interface PlatformPortOptions {
  readonly adapter: ExchangeAdapter;
  /** Of the venue, where the deployment has one. */
  readonly key: VenueKey | undefined;
  /** Has the object come back at this time, if not sooner. */
  readonly wake: (at: number) => void;
}

export function platformPort({ adapter: { authenticate }, key, wake }: PlatformPortOptions): SessionPort {
  return {
    now: () => Date.now(),
    uniform: () => Math.random(),
    later: (at, act) => void setTimeout(act, Math.max(0, at - Date.now())),
    wake,
    dial: (url, listener) => watched("a dial", dial(url, listener)),
    request: (request, answered) => watched("an answer", askVenue(request).then(answered)),
    authenticate(made) {
      if (authenticate === null || key === undefined) made(null);
      else
        watched(
          "a signature",
          authenticate(key, platformSigner, Date.now())
            .catch((error: unknown) => ({ failed: String(error) }))
            .then(made),
        );
    },
    log: logFault,
    bug: logFault,
  };
}

/** What the session makes of an outcome doesn't throw, but for a bug: that is to be in the log, not an unhandled rejection's. */
function watched(what: string, outcome: Promise<void>): void {
  outcome.catch((error: unknown) => logFault(`${what} could not be taken`, error));
}
