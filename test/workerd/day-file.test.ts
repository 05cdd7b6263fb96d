import { expect, it } from "vitest";
import { DAY_FILE_DIGEST, dayFileDigest } from "../core/day-file-digest.ts";

it("a day file has the same bytes at the edge as in Node, or one archive could not be checked against another", () => {
  expect(dayFileDigest()).toBe(DAY_FILE_DIGEST);
});
