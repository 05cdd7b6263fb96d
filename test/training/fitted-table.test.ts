import { expect, test } from "vitest";
import { fittedTable } from "../../training/command-line/fitted-table.ts";

const HEAD = ["market", "source", "rows"];
const ROWS = [
  ["binance-spot:A", "simulated seed 1", "7169"],
  ["bitmex:B", "a tape", "12"],
];

test("a table that fits, or goes into a pipe, is one line a row: programs that cut columns out of it go on to work", () => {
  const wide = [
    "┌────────────────┬──────────────────┬──────┐",
    "│ market         │ source           │ rows │",
    "├────────────────┼──────────────────┼──────┤",
    "│ binance-spot:A │ simulated seed 1 │ 7169 │",
    "│ bitmex:B       │ a tape           │ 12   │",
    "└────────────────┴──────────────────┴──────┘",
  ].join("\n");
  expect(fittedTable(HEAD, ROWS, 44)).toBe(wide);
  expect(fittedTable(HEAD, ROWS, Number.POSITIVE_INFINITY)).toBe(wide);
});

test("a table wider than the terminal has words on several lines, none of them cut", () => {
  expect(fittedTable(HEAD, ROWS, 40)).toBe(
    [
      "┌────────────────┬──────────────┬──────┐",
      "│ market         │ source       │ rows │",
      "├────────────────┼──────────────┼──────┤",
      "│ binance-spot:A │ simulated    │ 7169 │",
      "│                │ seed 1       │      │",
      "│ bitmex:B       │ a tape       │ 12   │",
      "└────────────────┴──────────────┴──────┘",
    ].join("\n"),
  );
});

test("what no wrapping fits is told row by row, with the whole of each word: a path can still be copied", () => {
  expect(fittedTable(HEAD, ROWS, 20)).toBe(
    ["market  binance-spot:A", "source  simulated seed 1", "rows    7169", "", "market  bitmex:B", "source  a tape", "rows    12"].join(
      "\n",
    ),
  );
});

test("a table without rows is its head, on any terminal", () => {
  expect(fittedTable(["a"], [], 80)).toContain("│ a │");
});
