import { expect, it } from "vitest";
import { digestOfTape, EXPECTED } from "../feed/rows-digest.ts";

it("a tape gives the same feature rows, bit by bit, and the same book in the Workers runtime as in Node", () => {
  expect(digestOfTape()).toEqual(EXPECTED);
});
