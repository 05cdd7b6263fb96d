/** Tests of the whole: real processes, real sockets, killed and started again. One at a time, since each runs a system of its own. */

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "whole",
    include: ["test/whole/**/*.test.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
