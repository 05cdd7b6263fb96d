/** What the reducer says of a frame that it has taken: whose it was, what it was, and which books are built again for it. */

import type { Decoded, SocketRefusal } from "../exchanges/contract.ts";

/** Books that are built again because a frame could not be read and may have been of any: the tapes of their markets don't have it, and need the hole. */
export interface Rebuilt {
  readonly symbols: readonly string[];
  readonly reason: string;
}

/** What a frame was. */
export interface FrameOutcome {
  /** The market it is of, or the first of them; null when it belongs to none. */
  readonly symbol: string | null;
  /** Further markets that it speaks of. */
  readonly others: readonly string[];
  readonly decoded: "event" | "malformed" | "control" | "ignored";
  /** Why it was ignored, or can't be read; of a control frame what it says. Null for events. */
  readonly detail: string | null;
  readonly isClosing: boolean;
  /** What the venue refuses of what was sent to it; null for any other frame. */
  readonly refusal: SocketRefusal | null;
  /** Why every book of the connection is built again; null when none is. */
  readonly hole: string | null;
  /** Other markets than its own whose books are built again; null when none are. */
  readonly rebuilt: Rebuilt | null;
}

/** A connection that books are on: while one succeeds another, each market's is on one of the two. */
export type Carrier = "present" | "standby";

export interface CarriedSymbols {
  readonly on: Carrier;
  readonly symbols: readonly string[];
}

export const NONE: readonly string[] = [];

export function controlOutcome(decoded: Extract<Decoded, { kind: "control" }>, hole: string | null): FrameOutcome {
  return {
    symbol: null,
    others: NONE,
    decoded: "control",
    detail: decoded.detail,
    isClosing: decoded.control === "closing",
    refusal: decoded.control === "refused" ? decoded : null,
    hole,
    rebuilt: null,
  };
}

export function ignoredOutcome({ reason }: Extract<Decoded, { kind: "ignored" }>, hole: string | null): FrameOutcome {
  return { symbol: null, others: NONE, decoded: "ignored", detail: reason, isClosing: false, refusal: null, hole, rebuilt: null };
}
