/** What the bench of trees' quality makes of the losses of several draws. */

import { expect, it } from "vitest";
import { verdictOf } from "../../bench/trees/verdict.ts";

const CASES = [
  { name: "lower", own: [0.9, 0.92, 0.91], peers: [1, 1.02, 1.01], word: "pass", isClear: true },
  { name: "lower, of a noisy set, by less than its noise", own: [1, 0.7, 1.2], peers: [0.9, 1.1, 1], word: "pass", isClear: false },
  { name: "level", own: [1.001, 1.003, 1.002], peers: [1, 1, 1], word: "pass", isClear: true },
  { name: "level by two draws alone", own: [1.001, 1.003], peers: [1, 1], word: "pass", isClear: false },
  { name: "above by less than two errors", own: [1.002, 1.014, 1.005], peers: [1, 1, 1], word: "pass, by the error", isClear: false },
  { name: "above by more", own: [1.009, 1.011, 1.01], peers: [1, 1, 1], word: "FAIL", isClear: true },
  { name: "above, and nobody can tell", own: [1.3, 0.9, 1.1], peers: [1, 1, 1], word: "undecided", isClear: false },
] as const;

it.each(CASES)(
  "a loss that is $name is called $word, or a set would be called drawn because it is noisy",
  ({ own, peers, word, isClear }) => {
    const verdict = verdictOf(own, peers);
    expect([verdict.word, verdict.isClear]).toEqual([word, isClear]);
  },
);

it("the error is that of the ratio of the means, or a verdict would hang on luck", () => {
  // Differences from 1.1 times the peer's: 0.1, -0.1, 0. Their deviation 0.1, over the root of three draws, over the peer's mean of 1.
  const { ratio, standardError } = verdictOf([1.2, 1, 1.1], [1, 1, 1]);
  expect(ratio).toBeCloseTo(1.1, 12);
  expect(standardError).toBeCloseTo(0.057735026919, 12);
  expect(verdictOf([1], [1]).standardError).toBeNull();
});
