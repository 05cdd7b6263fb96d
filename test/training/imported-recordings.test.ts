/**
 * A real hour of StandX from its recorder's files to a dataset, beside the same recorder's one-second table, which is read here by itself. Losses prevented:
 * a target that is not the venue's own price, a silent second that passes for one that was heard, and models that such a dataset can't train.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import type { DatasetCard } from "../../training/datasets/card.ts";
import { readDataset } from "../../training/datasets/dataset-reader.ts";
import { recordedSources } from "../../training/datasets/recorded-sources.ts";
import { silent } from "../../training/progress.ts";
import { freshFolder, importFiles, linesOf, put } from "../archive/workplace.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
const [books, trades, seconds] = ["diffL20_2026-01-05.ndjson.gz", "trades_2026-01-05.csv.gz", "1s_L10_2026-01-05.csv.gz"].map((name) =>
  recording(`l2/standx-btc-usd/${name}`),
);
const absent = books && trades && seconds ? "" : ` ${WITHOUT_RECORDINGS}`;

function edgebook(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "training", "command-line", "main.ts"), ...args], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`edgebook ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Best bid and ask of the last book of each second, by the second. */
function recordedSeconds(path: string): Map<number, { bid: number; ask: number }> {
  const [head = "", ...lines] = gunzipSync(readFileSync(path)).toString("utf8").trimEnd().split("\n");
  const place = (name: string): number => head.split(",").indexOf(name);
  const [at, bid, ask] = [place("second_ms"), place("bp0"), place("ap0")];
  return new Map(
    lines.map((line) => {
      const fields = line.split(",");
      return [Number(fields[at]), { bid: Number(fields[bid]), ask: Number(fields[ask]) }];
    }),
  );
}

describe.skipIf(absent !== "")(`an hour of StandX${absent}`, () => {
  it("has the moves of the recorder's own seconds at every target: an import or a grid that is off by one would be learned", async () => {
    const { markets } = await importFiles("standx", [books ?? ""]);
    // The recorder's seconds are those of receipt: without the venue's times so are the dataset's.
    const undated = linesOf(markets[0]?.file ?? "").map((line) => line.replace(/"venueTime":\d+/, '"venueTime":null'));
    const sources = await recordedSources([put("events.ndjson", `${undated.join("\n")}\n`)], { venue: null, market: null });
    const data = freshFolder();
    const rule = { overGapsFromMs: 30_000 };
    const card = await buildDataset({ sources, folder: data, rule, command: ["test"], progress: silent });
    const { times, mask, targets, outputs } = await readDataset(data);
    const table = recordedSeconds(seconds ?? "");
    let compared = 0;
    const differing: string[] = [];
    for (const [row, time] of times.entries()) {
      for (const [output, { target, horizonMs }] of card.targets.entries()) {
        if (mask[row * outputs + output] !== 1) continue;
        compared++;
        // A row holds what came before its second: its price is that of the last book of the second before.
        const [now, then] = [priceOf(table, time - 1_000, target), priceOf(table, time + horizonMs - 1_000, target)];
        const off = Math.abs((10_000 * (then - now)) / now - (targets[row * outputs + output] as number));
        if (!(off < 1e-7)) differing.push(`${time} ${target} ${horizonMs}`);
      }
    }
    expect(differing).toEqual([]);
    expect(compared).toBeGreaterThan(20_000);
  });

  it("is a dataset after two commands, that trees, a network and an LSTM learn from, are scored on and reported", async () => {
    const folder = freshFolder();
    const [events, data] = [join(folder, "events"), join(folder, "data")];
    edgebook("import", "standx", books ?? "", trades ?? "", "--infer-sides", "--out", events);
    const card = JSON.parse(edgebook("dataset", events, "--over-gaps-from", "30000", "--out", data, "--json")) as DatasetCard;
    expect(card.parts).toMatchObject([{ market: "standx:BTC-USD", segments: 1, malformedFrames: 0, gaps: { silence: 110 } }]);
    // The recording's README tells of 19 % of silence.
    expect(card.parts[0]?.coverage).toBeCloseTo(0.81, 2);
    for (const [model, ...short] of [
      ["trees", "--rounds", "5"],
      ["mlp", "--epochs", "1"],
      ["lstm", "--size", "small", "--epochs", "1"],
    ] as const) {
      const run = join(folder, model);
      edgebook("train", "--data", data, "--model", model, "--out", run, ...short);
      edgebook("evaluate", "--run", run);
      const { scores } = JSON.parse(readFileSync(join(run, "scores.json"), "utf8")) as { scores: { horizonMs: number; r2: number }[] };
      // On hundreds of rows chance reaches far; the recording's README takes more for a leak.
      for (const { horizonMs, r2 } of scores)
        if (horizonMs >= 5_000) expect([model, horizonMs, r2 < 0.4]).toEqual([model, horizonMs, true]);
    }
    edgebook("report", "--run", join(folder, "trees"));
    expect(existsSync(join(folder, "trees", "report.html"))).toBe(true);
  });
});

function priceOf(table: ReturnType<typeof recordedSeconds>, second: number, target: "bid" | "mid" | "ask"): number {
  // A second without a book is no silence to the recorder, two are.
  const book = table.get(second) ?? table.get(second - 1_000);
  return book === undefined ? Number.NaN : { ...book, mid: (book.bid + book.ask) / 2 }[target];
}
