import { expect, it } from "vitest";
import { digestOfTape, EXPECTED } from "./rows-digest.ts";

it("a tape gives these very rows and this very book in Node (test/workerd/rows-digest.test.ts: and at the edge)", () => {
  expect(digestOfTape()).toEqual(EXPECTED);
});
