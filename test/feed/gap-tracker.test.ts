import { describe, expect, it } from "vitest";
import type { GapRecord } from "../../feed/contract.ts";
import { GapTracker } from "../../feed/gap-tracker.ts";

const FROM = Date.UTC(2026, 0, 5, 12, 0);

describe("a gap that was open when the process died", () => {
  it("ends as the same gap: same id, same start, so that the ledger holds one and not two", () => {
    const gap: GapRecord = {
      id: `binance-spot:AAAUSDT/depth/${FROM}/sequence-gap`,
      market: "binance-spot:AAAUSDT",
      channel: "depth",
      from: FROM,
      to: null,
      reason: "sequence-gap",
      detail: "message 7-7 does not follow 5",
      action: "pending",
    };
    const tracker = new GapTracker("binance-spot:AAAUSDT");
    tracker.resume(gap);
    expect(tracker.current).toEqual(gap);
    tracker.begin(FROM + 5_000, "restarted", "the feed's process was gone");
    tracker.end(FROM + 9_000);
    const detail = "message 7-7 does not follow 5; 1 further trouble(s) before it was whole";
    expect(tracker.takeChanges()).toEqual([{ ...gap, to: FROM + 9_000, detail, action: "resynced" }]);
    expect(tracker.current).toBeNull();
  });
});
