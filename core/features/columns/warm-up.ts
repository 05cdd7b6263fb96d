/** How long after a reset a column that looks back so far means what it says. */

import { MS_PER_SECOND } from "../../units/time.ts";
import { DEPTH_SCALE_SECONDS } from "./depth-scale.ts";

/** A full look back, from the first whole second after the reset, which is up to one grid step later. */
export function warmupOf(windowsSeconds: readonly number[]): number {
  return (Math.max(...windowsSeconds) + 1) * MS_PER_SECOND;
}

/** Of what is measured by the depth scale and looks back no farther. */
export const DEPTH_SCALE_WARMUP_MS = warmupOf([DEPTH_SCALE_SECONDS]);
