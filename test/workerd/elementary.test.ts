import { expect, it } from "vitest";
import { ELEMENTARY_DIGEST, elementaryDigest } from "../core/elementary-digest.ts";

it("elementary functions give the same bits at the edge as in Node, or features would not", () => {
  expect(elementaryDigest()).toBe(ELEMENTARY_DIGEST);
});
