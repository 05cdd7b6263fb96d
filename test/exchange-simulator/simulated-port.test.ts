/** Loss prevented: a feed in simulated time that holds a connection for open which ended as it was accepted, so that it hears nothing for good. */

import { expect, it } from "vitest";
import { SimulatedPort } from "../../exchange-simulator/simulated-port.ts";
import { SimulatedTime } from "../../exchange-simulator/simulated-time.ts";
import { START, venueWorld } from "./venue-world.ts";

it("tells of a connection that ends as it is accepted first that it is open, then that it is down, once each", async () => {
  const world = await venueWorld("bitmex", 20, { seed: 1, orders: [{ fault: "close-1006", venue: "bitmex", at: START }] });
  const time = new SimulatedTime(world);
  const told: string[] = [];
  const port = new SimulatedPort({ time, venue: "bitmex", uniform: () => 0.5, wake: () => {} });
  port.dial("ws://simulated/realtime?subscribe=orderBookL2:XBTUSD", {
    opened: () => told.push("opened"),
    refused: () => told.push("refused"),
    text: () => told.push("text"),
    binary: () => told.push("binary"),
    down: (reason) => told.push(reason),
  });
  time.advanceTo(START + 5_000);
  expect(told.filter((what) => what !== "text")).toEqual(["opened", "closed by the venue with 1006"]);
});
