/** What can be broken, and how it is ordered. */

import type { Channel } from "../venue.ts";

/** Faults of a frame on its way to one client. */
export const FRAME_FAULTS = [
  "drop",
  "duplicate",
  "reorder",
  "delay",
  "corrupt",
  "truncate",
  "crossed-book",
  "stale-snapshot",
  "id-map",
  "silence",
] as const;
/** Faults of a whole connection. */
export const CONNECTION_FAULTS = ["close-1006", "tcp-reset", "close-24h"] as const;
/** Faults of requests and of the upgrade to a websocket. */
export const HTTP_FAULTS = ["http-429", "http-418", "http-451", "slow-rest"] as const;
/** Faults of a whole venue. */
export const VENUE_FAULTS = ["clock-skew"] as const;

export const FAULTS = [...FRAME_FAULTS, ...CONNECTION_FAULTS, ...HTTP_FAULTS, ...VENUE_FAULTS] as const;
export type FaultName = (typeof FAULTS)[number];

/** One fault that is to happen. What isn't told is any: any venue, any symbol, any channel, the next occasion. */
export interface FaultOrder {
  readonly fault: FaultName;
  readonly venue?: string;
  readonly symbol?: string;
  readonly channel?: Channel;
  /** Not before this time of the simulated clock, epoch ms. */
  readonly at?: number;
  /** Not before so many frames that it could hit have passed. */
  readonly afterFrames?: number;
  /** At each occasion with this probability, by the seed; it happens until it has happened `times` times. */
  readonly probability?: number;
  /** Once unless told; 0 for as often as there is an occasion. */
  readonly times?: number;
  /** How long it lasts, ms of the simulated clock: silence, skew, refusals. */
  readonly durationMs?: number;
  /** delay, slow-rest: by how much. clock-skew: the venue's clock is ahead by it, may be negative. */
  readonly byMs?: number;
  /** close-24h: whether the venue says so before; it does unless told. */
  readonly isAnnounced?: boolean;
}
