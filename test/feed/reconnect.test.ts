import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterFailure, READY_TO_CONNECT, type ReconnectState, wasHealthy } from "../../feed/reconnect.ts";

describe("reconnecting", () => {
  it("never hammers a venue that accepts and drops, and never waits longer than the cap", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 60 }), (draws) => {
        let state: ReconnectState = READY_TO_CONNECT;
        for (const uniform of draws) {
          state = afterFailure(state, 1_000, { uniform, retryAfterMs: 0 });
          const wait = state.retryAt - 1_000;
          expect(wait).toBeGreaterThanOrEqual(250);
          expect(wait).toBeLessThanOrEqual(30_000);
        }
      }),
    );
  });

  it("backs off: the longest wait doubles with each failure up to the cap", () => {
    let state: ReconnectState = READY_TO_CONNECT;
    const waits = Array.from({ length: 8 }, () => {
      state = afterFailure(state, 0, { uniform: 1, retryAfterMs: 0 });
      return state.retryAt;
    });
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it("obeys a Retry-After that is longer than its own wait", () => {
    expect(afterFailure(READY_TO_CONNECT, 0, { uniform: 0, retryAfterMs: 120_000 }).retryAt).toBe(120_000);
  });

  it("forgives only a connection that gave data for a minute", () => {
    expect(wasHealthy(0, 59_999)).toBe(false);
    expect(wasHealthy(0, 60_000)).toBe(true);
  });
});
