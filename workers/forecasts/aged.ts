/** A kept answer as it is by now: what the feed said grows older. Pure. */

import type { FeatureMoment } from "../../feed/contract.ts";
import type { DeskAnswer } from "./contract.ts";

/** @param now our clock, as `heardAt` is. */
export function agedMoment({ moment, heardAt }: Pick<DeskAnswer, "moment" | "heardAt">, now: number): FeatureMoment {
  const keptMs = Math.max(0, now - heardAt);
  return { ...moment, now: moment.now + keptMs, rowAgeMs: moment.rowAgeMs + keptMs };
}
