/** Which stretch of which recording is played through the edge (edge-day-recording.ts): what `npm run bench -- edge-day --recording DIR` asks for, else some minutes for the test. */

import { resolve } from "node:path";
import { recording } from "../recordings/recordings.ts";
import type { RecordingStretch } from "./edge-day-contract.ts";

/** Of the day on which the recording begins, near its end: the half hour before it teaches enough. */
const SHORT_FROM = Date.UTC(2026, 0, 5, 23, 25);
const SHORT_HOURS = 0.4;

/** What the settings ask for; else, where recordings are, some minutes of one; null where there is none. */
export function stretchAsked({ EDGE_DAY_RECORDING, EDGE_DAY_HOURS, EDGE_DAY_DATE }: NodeJS.ProcessEnv): RecordingStretch | null {
  if (EDGE_DAY_RECORDING !== undefined && EDGE_DAY_DATE !== undefined)
    return { folder: resolve(EDGE_DAY_RECORDING), from: Date.parse(EDGE_DAY_DATE), hours: Number(EDGE_DAY_HOURS) };
  const folder = recording("l2/standx-btc-usd");
  return folder === null ? null : { folder, from: SHORT_FROM, hours: SHORT_HOURS };
}
