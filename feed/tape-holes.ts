/** How the tape words why books were lost, so that a replay loses them for the same reason. What the recorder writes, the reducer reads. */

import type { GapReason } from "./contract.ts";

/** Why a connection goes down, as the tape has it. */
export const DOWN_REASONS: readonly GapReason[] = ["connection-down", "stale", "rotation", "restarted"];

/** A frame that could not be read. */
const UNREADABLE = "a message that could not be read: ";

const IN_NUMBERS = /^message \d+ of the connection follows /;

export function unreadable(reason: string): string {
  return `${UNREADABLE}${reason}`;
}

export function isUnreadable(hole: string): boolean {
  return hole.startsWith(UNREADABLE);
}

/** A hole in a connection's numbers; any other hole of every market is a connection that is gone. */
export function holeInNumbers(sequence: number | null, last: number | null): string {
  return `message ${sequence} of the connection follows ${last}`;
}

export function isInNumbers(hole: string): boolean {
  return IN_NUMBERS.test(hole);
}
