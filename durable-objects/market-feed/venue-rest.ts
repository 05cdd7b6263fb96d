/**
 * One REST request to a venue, as a value.
 *
 * Bodies are read by .text(): a streaming subrequest beside an outgoing socket can kill that socket.
 */

import type { VenueRequest } from "../../exchanges/contract.ts";
import type { VenueAnswer } from "../../feed/session/session-port.ts";

const REQUEST_TIMEOUT_MS = 10_000;
/** A 5,000-level Binance snapshot is some 350 kB; more than this is no answer to what was asked. */
const MAX_BODY_CHARACTERS = 16_000_000;

/** Never throws: a failed request is an answer. */
export async function askVenue(request: VenueRequest): Promise<VenueAnswer> {
  try {
    const response = await fetch(request.url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    // Of a compressed answer it is the compressed length: what passes here is measured again below.
    const told = Number(response.headers.get("Content-Length") ?? 0);
    if (told > MAX_BODY_CHARACTERS) {
      await response.body?.cancel();
      return { failed: `a body of ${told} bytes` };
    }
    const body = await response.text();
    if (body.length > MAX_BODY_CHARACTERS) return { failed: `a body of ${body.length} characters` };
    return { status: response.status, body, header: (name) => response.headers.get(name) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}
