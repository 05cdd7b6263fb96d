/** A venue's refusal on the socket that says neither of what nor for how long. */

import type { SocketRefusal } from "../contract.ts";

export function refusal(detail: string): SocketRefusal {
  return { kind: "control", control: "refused", detail, retryAfterMs: null, among: null };
}
