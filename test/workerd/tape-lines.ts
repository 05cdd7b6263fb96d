/** What a tape of the object holds, as text. */

import { gunzipSync } from "node:zlib";

/** The lines of every gzip member; none where there is no tape. */
export function tapeLines(tape: Uint8Array | null): string[] {
  return tape === null ? [] : gunzipSync(tape).toString("utf8").trimEnd().split("\n");
}
