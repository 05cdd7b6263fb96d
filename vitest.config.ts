/** Two projects: `pure` runs in Node, `workerd` inside the Workers runtime (its own file: vitest.workerd.config.ts). */

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "pure",
          include: ["test/**/*.test.ts"],
          exclude: ["test/workerd/**", "test/whole/**"],
          environment: "node",
          testTimeout: 60_000,
        },
      },
      "./vitest.workerd.config.ts",
    ],
  },
});
