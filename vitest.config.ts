/** Tests that run in Node. Those inside the Workers runtime have a file of their own: `vitest run -c vitest.workerd.config.ts`. */

import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest, longest first: begun last, one of these would run alone while the other cores stand idle. */
const LONG = [
  "test/fuzz/feeds.test.ts",
  "test/simulation/generative-market.test.ts",
  "test/archive/recordings.test.ts",
  "test/exchange-simulator/faults.test.ts",
  "test/faults/matrix.test.ts",
  "test/faults/soak.test.ts",
  "test/exchange-simulator/venues.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number =>
      (LONG.findIndex((file) => moduleId.endsWith(`/${file}`)) + LONG.length + 1) % (LONG.length + 1);
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    // Every core: by default one is left idle, which of two is half the machine.
    maxWorkers: "100%",
    sequence: { sequencer: LongestFirst },
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
