/** What is said of seats: a command that is copied from an answer must undo what the answer tells, and nothing else. */

import { expect, it } from "vitest";
import { wayBack } from "../../../training/publish/held-roles.ts";

it("the way back names the seat that was changed: without it the forecasts of every market would be rolled back", () => {
  expect(wayBack({ slot: "forecast", market: "*" })).toBe("edgebook models roll-back");
  expect(wayBack({ slot: "signal", market: "*" })).toBe("edgebook models roll-back --slot signal");
  expect(wayBack({ slot: "signal", market: "bitmex:XBTUSD" })).toBe("edgebook models roll-back --slot signal --market bitmex:XBTUSD");
});
