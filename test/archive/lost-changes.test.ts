/** Loss prevented: a book that goes on as if nothing had happened behind a line that could not be read, and is believed. */

import { describe, expect, it } from "vitest";
import { eventLines, importFiles, put } from "./workplace.ts";

const snapshot = (at: number): string => `{"type":"snapshot","E":${at},"R":${at},"b":[[100,1]],"a":[[101,1]]}`;
const diff = (at: number): string => `{"type":"diff","E":${at},"R":${at},"b":[[100,2]],"a":[]}`;

/** Kind and time of each record; of a gap from, to and reason. */
function storyOf(lines: readonly string[]): string[] {
  return lines.slice(1).map((line) => {
    const { kind, receivedAt, from, to, reason } = JSON.parse(line) as Record<string, unknown>;
    return kind === "gap" ? `gap ${from}-${to} ${reason}` : `${kind} ${receivedAt}`;
  });
}

describe("a change of a book that could not be read", () => {
  it("begins a gap at the last good one, which the next whole book ends, and what lies between is no change of any known book", async () => {
    const lines = [snapshot(1000), diff(1250), "{spoilt", "{too", diff(1750), diff(2000), snapshot(2250), diff(2500)];
    const report = await importFiles("standx", [put("diffL20_a.ndjson", `${lines.join("\n")}\n`)]);
    expect(storyOf(eventLines(report))).toEqual(["snapshot 1000", "depth 1250", "gap 1250-2250 malformed", "snapshot 2250", "depth 2500"]);
    expect(eventLines(report)[3]).toContain('"detail":"2 lines of the book could not be read"');
    expect(report.markets[0]).toMatchObject({ gaps: { malformed: 1 }, gapMs: 1000, withheld: 2 });
    expect(report.refused).toBe(2);
  });

  it("leaves the gap open where no whole book follows, in the next file neither", async () => {
    const first = `${snapshot(1000)}\n${diff(1250)}\n{spoilt\n`;
    const files = [put("open/diffL20_a.ndjson", first), put("open/diffL20_b.ndjson", `${diff(1500)}\n${diff(1750)}\n`)];
    const report = await importFiles("standx", files);
    expect(storyOf(eventLines(report))).toEqual(["snapshot 1000", "depth 1250", "gap 1250-null malformed"]);
    expect(report.markets[0]).toMatchObject({ gaps: { malformed: 1 }, withheld: 2 });
  });

  it("is missed when nothing follows it, and when it is the first of a further file", async () => {
    const last = await importFiles("standx", [put("last/diffL20_a.ndjson", `${snapshot(1000)}\n{spoilt\n`)]);
    expect(storyOf(eventLines(last))).toEqual(["snapshot 1000", "gap 1000-null malformed"]);
    const files = [put("next/diffL20_a.ndjson", `${snapshot(1000)}\n`), put("next/diffL20_b.ndjson", `{"type":"x"}\n${diff(1500)}\n`)];
    expect(storyOf(eventLines(await importFiles("standx", files)))).toEqual(["snapshot 1000", "gap 1000-null malformed"]);
  });

  it("covers the silences that lie in it, and costs nothing before the first book", async () => {
    const lines = ['{"type":"x"}', snapshot(1000), "{spoilt", diff(9000), snapshot(9250)];
    const report = await importFiles("standx", [put("diffL20_s.ndjson", lines.join("\n"))]);
    expect(storyOf(eventLines(report))).toEqual(["snapshot 1000", "gap 1000-9250 malformed", "snapshot 9250"]);
  });

  it("of a recorder of whole books is a gap between two of them, told once", async () => {
    const line = (minute: string): string => `{"date":"2018-03-01","time":"00:${minute}:00","prices":[1,2],"volumes":[1,1]}`;
    const report = await importFiles("recorder", [put("d.json", `${line("01")}\n{"date":"2018-03-01"}\n${line("03")}\n`)]);
    expect(report.markets[0]).toMatchObject({ records: 3, gaps: { malformed: 1 }, gapMs: 120_000 });
  });

  it("leaves trades, and the books of other files, as they are", async () => {
    const trades = "exch_ts_ms,recv_ts_ms,price,qty\n1000,1100,100.5,1\n1000,soon,100.5,1\n1400,1500,100.5,1\n";
    const files = [put("t/diffL20_a.ndjson", `${snapshot(1000)}\n${diff(1250)}\n`), put("t/trades_a.csv", trades)];
    const report = await importFiles("standx", files);
    expect(storyOf(eventLines(report))).toEqual(["snapshot 1000", "trade 1100", "depth 1250", "trade 1500"]);
    expect(report.refused).toBe(1);
  });
});

describe("a row of Tardis that could not be read", () => {
  const HEAD = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount";
  const row = (ms: number, isSnapshot: boolean, price: string): string =>
    `bitmex,XBTUSD,158569920${ms}000,158569920${ms}000,${isSnapshot},bid,${price},5`;

  it("opens a gap until the connection is made anew, which is in it", async () => {
    const rows = [row(1000, true, "9"), row(1100, false, "8"), row(1200, false, "bad"), row(1300, false, "7"), row(1400, true, "9")];
    const report = await importFiles("tardis", [put("book.csv", [HEAD, ...rows].join("\n"))]);
    expect(storyOf(eventLines(report))).toEqual([
      "snapshot 1585699201000",
      "gap 1585699201000-1585699201400 malformed",
      "snapshot 1585699201400",
    ]);
    expect(report.markets[0]).toMatchObject({ withheld: 2 });
  });

  it("amid a snapshot makes it no whole one", async () => {
    const rows = [row(1000, true, "9"), row(1000, true, "bad"), row(1000, true, "7"), row(1300, false, "7")];
    const report = await importFiles("tardis", [put("part.csv", [HEAD, ...rows].join("\n"))]);
    expect(storyOf(eventLines(report))).toEqual(["gap 1585699201000-null malformed"]);
    expect(report.markets[0]).toMatchObject({ withheld: 2 });
  });
});
