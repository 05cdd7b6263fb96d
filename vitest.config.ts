/** Tests that run in Node. Those inside the Workers runtime have a file of their own: `vitest run -c vitest.workerd.config.ts`. */

import { defineConfig } from "vitest/config";
import { longestFirst } from "./test/longest-first.ts";

const sequencer = longestFirst([
  "test/fuzz/feeds.test.ts",
  "test/simulation/generative-market.test.ts",
  "test/archive/recordings.test.ts",
  "test/exchange-simulator/faults.test.ts",
  "test/faults/matrix.test.ts",
  "test/faults/soak.test.ts",
  "test/exchange-simulator/venues.test.ts",
]);

export default defineConfig({
  test: {
    // Every core: by default one is left idle, which of two is half the machine.
    maxWorkers: "100%",
    sequence: { sequencer },
    projects: [
      {
        test: {
          name: "pure",
          include: ["test/**/*.test.ts"],
          exclude: ["test/workerd/**", "test/whole/**"],
          environment: "node",
          setupFiles: ["test/property-seed.ts"],
          // The longest take fifteen seconds of a core, and a busy machine has none for them at once: a bound on what hangs, not on how fast they are.
          testTimeout: 240_000,
        },
      },
    ],
  },
});
