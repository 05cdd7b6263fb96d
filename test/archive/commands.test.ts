/** The two commands as a person runs them: what goes to stdout, what fails, and what is left behind. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { freshFolder, linesOf, put } from "./workplace.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");

function edgebook(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "training", "command-line", "main.ts"), ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const DAY = `${Array.from({ length: 5 }, (_, minute) => `{"date":"2018-03-01","time":"00:0${minute}:00","prices":[10299.5,10300,10300.5,10301],"volumes":[7,5,3,${9 + minute}]}`).join("\n")}\n`;

describe("edgebook import and export", () => {
  it("take a recorder's day in and give it out again, with a report for programs", () => {
    const [events, days] = [freshFolder(), freshFolder()];
    const imported = edgebook("import", "recorder", put("2018-03-01.json", DAY), "--out", events, "--json");
    expect(imported).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(imported.stdout)).toMatchObject({
      format: "recorder",
      refused: 0,
      failure: null,
      markets: [{ market: "bitmex:XBTUSD", records: 5 }],
    });
    const exported = edgebook("export", events, "--as", "recorder", "--levels", "2", "--out", days, "--json");
    expect(exported).toMatchObject({ status: 0, stderr: "" });
    // A sample is the book before the interval's end: that of 00:01 is what came at 00:00.
    const lines = linesOf(join(days, "bitmex.XBTUSD", "2018-03-01.jsonl"));
    expect(lines.map((line) => (JSON.parse(line) as { volumes: number[] }).volumes[3])).toEqual([9, 10, 11, 12]);
  });

  it("fail on a file that is cut, name it, and keep what came before", () => {
    const whole = gzipSync(DAY.repeat(2_000), { level: 0 });
    const out = freshFolder();
    const { status, stderr } = edgebook("import", "recorder", put("cut.json.gz", whole.subarray(0, 900_000)), "--out", out);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^edgebook: .*cut\.json\.gz can't be read beyond line \d+ .*\n {2}what came before is in /);
    expect(linesOf(join(out, "bitmex.XBTUSD.events.ndjson.gz")).length).toBeGreaterThan(8_000);
    expect(existsSync(join(out, "bitmex.XBTUSD.events.ndjson.gz.partial"))).toBe(false);
  });

  it("tell the venue of a wire capture from its messages, as replay does", () => {
    const lines = [
      '1723075200000000000 {"lastUpdateId":1,"bids":[["1.5","2"]],"asks":[["2.5","2"]]}',
      '1723075200100000000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723075200090,"s":"BTCUSDT","U":2,"u":3,"b":[["1.5","1"]],"a":[]}}',
    ];
    const imported = edgebook("import", "wire", put("spot.ndjson", `${lines.join("\n")}\n`), "--out", freshFolder(), "--json");
    expect(imported).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(imported.stdout)).toMatchObject({ markets: [{ market: "binance-spot:BTCUSDT" }] });
  });

  it("say what they don't know, without a stack", () => {
    expect(edgebook("import", "parquett", "x", "--out", "y").stderr).toMatch(/Allowed choices are events, csv, parquet/);
    expect(edgebook("import", "tardis", "x", "--out", "y", "--market", "BTC").stderr).toBe(
      "edgebook: --market BTC: venue:SYMBOL is wanted\n",
    );
    expect(edgebook("export", "/nowhere", "--as", "csv", "--out", "y").stderr).toBe("edgebook: there is no file or folder /nowhere\n");
  });
});
