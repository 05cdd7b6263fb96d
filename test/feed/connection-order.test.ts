/** A lost frame of a numbered connection may have been of any book: unseen, one of them is wrong from then on. */

import { expect, it } from "vitest";
import { ConnectionOrder } from "../../feed/connection-order.ts";

it("a connection begins at any number, and each frame is one more than the last", () => {
  const order = new ConnectionOrder();
  expect([41, 42, 43].map((sequence) => order.judge(sequence))).toEqual(["continues", "continues", "continues"]);
  expect(order.last).toBe(43);
});

it("begins at 0 as well: the second frame after it is no hole, a third one without it is", () => {
  const order = new ConnectionOrder();
  expect([0, 1, 3].map((sequence) => order.judge(sequence))).toEqual(["continues", "continues", "hole"]);
});

it("a number that is left out is a hole, once", () => {
  const order = new ConnectionOrder();
  expect([1, 3, 4].map((sequence) => order.judge(sequence))).toEqual(["continues", "hole", "continues"]);
});

it("a frame that comes twice or late is repeated, and moves nothing", () => {
  const order = new ConnectionOrder();
  expect([5, 6, 6, 5, 7].map((sequence) => order.judge(sequence))).toEqual(["continues", "continues", "repeated", "repeated", "continues"]);
});

it("a frame without a number says nothing, and hides no hole", () => {
  const order = new ConnectionOrder();
  expect([null, 5, null, 7].map((sequence) => order.judge(sequence))).toEqual(["continues", "continues", "continues", "hole"]);
});

it("another connection begins anew", () => {
  const order = new ConnectionOrder();
  order.judge(900);
  order.reset();
  expect(order.last).toBeNull();
  expect(order.judge(1)).toBe("continues");
  expect(order.judge(3)).toBe("hole");
});

it("one absurd number does not end the connection's books for good: the count that goes on below it is believed", () => {
  const order = new ConnectionOrder();
  const judged = [5, 6, Number.MAX_SAFE_INTEGER, 8, 9, 10, 11, 13].map((sequence) => order.judge(sequence));
  expect(judged).toEqual(["continues", "continues", "hole", "repeated", "repeated", "hole", "continues", "hole"]);
});

it("two frames of the past are no count anew: the numbers go on where they were", () => {
  const order = new ConnectionOrder();
  const judged = [5, 6, 7, 5, 6, 8, 7, 9].map((sequence) => order.judge(sequence));
  expect(judged).toEqual(["continues", "continues", "continues", "repeated", "repeated", "continues", "repeated", "continues"]);
});
