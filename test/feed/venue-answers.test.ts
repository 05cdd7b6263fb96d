/** What a venue's answers are taken for: one that is read wrongly gets the address banned, or a feed that waits for ever. */

import { describe, expect, it } from "vitest";
import type { VenueAnswer } from "../../feed/session/session-port.ts";
import { answerText, isBlocked, isSuccess, retryAfterMs, usedWeight } from "../../feed/session/venue-answers.ts";

const AT = Date.UTC(2026, 10, 27, 12);

function answer(status: number, headers: Readonly<Record<string, string>> = {}): VenueAnswer {
  return { status, body: "why", header: (name) => headers[name] ?? null };
}

describe("a venue's answer", () => {
  it.each([
    ["seconds", answer(429, { "retry-after": "7" }), 7_000],
    ["seconds of any other refusal", answer(503, { "retry-after": "120" }), 120_000],
    ["a date", answer(418, { "retry-after": new Date(AT + 90_000).toUTCString() }), 90_000],
    ["a date that is over, of a ban", answer(418, { "retry-after": new Date(AT - 90_000).toUTCString() }), 60_000],
    ["what can't be meant: a year", answer(418, { "retry-after": "31536000" }), 259_200_000],
    ["nothing, of a ban", answer(418), 60_000],
    ["nothing, of a rate limit", answer(429), 60_000],
    ["nothing, of a fault", answer(503), 0],
    ["nothing, where there was no answer", { failed: "timeout" } satisfies VenueAnswer, 0],
  ])("is obeyed where it says for how long it wants to be left alone: %s", (_, told, waitMs) => {
    expect(retryAfterMs(told, AT)).toBe(waitMs);
  });

  it("says that this address is blocked by 451 and 403, and by nothing else", () => {
    expect([451, 403, 418, 429, 500, 200].map((status) => isBlocked(answer(status)))).toEqual([true, true, false, false, false, false]);
    expect(isBlocked({ failed: "timeout" })).toBe(false);
    expect([200, 204, 301, 404].map((status) => isSuccess(answer(status)))).toEqual([true, true, false, false]);
  });

  it("says what the address has used, in a header that may be missing or no number", () => {
    const used = (headers: Readonly<Record<string, string>>) => usedWeight(answer(200, headers), "used");
    expect([used({ used: "812" }), used({ used: "0" }), used({ used: "many" }), used({})]).toEqual([812, 0, null, null]);
    expect(usedWeight(answer(200, { used: "812" }), null)).toBeNull();
    expect([answerText(answer(500)), answerText({ failed: "timeout" })]).toEqual(["500: why", "timeout"]);
  });
});
