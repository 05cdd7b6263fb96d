/** Tests that run in Node. Those inside the Workers runtime have a file of their own: `vitest run -c vitest.workerd.config.ts`. */

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
          setupFiles: ["test/property-seed.ts"],
          testTimeout: 60_000,
        },
      },
    ],
  },
});
