/** Tests of the whole: real processes, real sockets, killed and started again. Side by side, since they mostly wait for a minute to end; each has a port and a folder of its own. */

import { defineConfig } from "vitest/config";
import { longestFirst } from "./test/longest-first.ts";

const sequencer = longestFirst(["start", "days", "kill", "stream", "replay", "faults"].map((name) => `test/whole/${name}.test.ts`));

export default defineConfig({
  test: {
    name: "whole",
    include: ["test/whole/**/*.test.ts"],
    environment: "node",
    maxWorkers: 3,
    sequence: { sequencer },
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
