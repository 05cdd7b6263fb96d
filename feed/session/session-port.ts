/**
 * What a feed's session needs of the world that it runs in: a clock, chance, sockets, requests. The feed object gives it the platform's, the simulator
 * those of its simulated time; what is decided between them is the same code.
 *
 * Callbacks, so that a world of simulated time has nothing to wait for. Each is called exactly once unless it says otherwise, and never before the
 * call that it was given to has returned.
 */

import type { VenueRequest } from "../../exchanges/contract.ts";

/** An open websocket. */
export interface Wire {
  /** A wire that is down sends nothing. */
  send(text: string): void;
  /** Ends it from our side. What its listener is told after that is not heard. */
  close(reason: string): void;
}

export interface WireListener {
  /** Before anything else. */
  opened(wire: Wire): void;
  /** In place of `opened`: there is no connection, and nothing follows. */
  refused(answer: VenueAnswer): void;
  /** Any number of times. */
  text(text: string): void;
  /** Any number of times: a frame that isn't text, as base64. */
  binary(base64: string): void;
  /** Once after `opened`, whatever ended it. */
  down(reason: string): void;
}

/** What a venue answered by HTTP, or why it didn't. */
export type VenueAnswer =
  /** @property header by its name in lower case; null where the answer has none. */
  { readonly status: number; readonly body: string; readonly header: (name: string) => string | null } | { readonly failed: string };

export interface SessionPort {
  /** Epoch ms. */
  now(): number;
  /** A random number in [0, 1). */
  uniform(): number;
  /** Acts at a time, or a little after it; not at all where the process is gone by then. */
  later(at: number, act: () => void): void;
  /** Nothing will happen by itself before `at`: the session is to be looked after then (`watch`, `reach`), process or no process. */
  wake(at: number): void;
  /** @param url ws:// or wss://. Gives up within seconds: an attempt always ends. */
  dial(url: string, listener: WireListener): void;
  /** Gives up within seconds, too. */
  request(request: VenueRequest, answered: (answer: VenueAnswer) => void): void;
  /** Makes what shows the venue whose key it is; null without a key, at once: before the call has returned. */
  authenticate(made: (token: string | null | { readonly failed: string }) => void): void;
  /** Something went wrong that an operator may want to know. */
  log(what: string, error: unknown): void;
  /** A bug of ours has shown. The session goes on without what it touched. */
  bug(what: string, error: unknown): void;
}
