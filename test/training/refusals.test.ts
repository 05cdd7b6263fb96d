/** What is said where training can't go on. Losses prevented: a finished run trained over because a message said so, an error that tells nobody what to do. */

import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CommandError } from "../../training/command-error.ts";
import { explain } from "../../training/command-line/explain-error.ts";
import { searchCommand } from "../../training/command-line/search.ts";
import { trainCommand } from "../../training/command-line/train.ts";
import { readDataset } from "../../training/datasets/dataset-reader.ts";
import { readRun, refuseFinished } from "../../training/train/run-folder.ts";
import { familyOf, rowsOfRun } from "../../training/train/run-rows.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();

describe("--resume", () => {
  it("of a run that came to its end is refused as that, and not told to train from the start", async () => {
    const run = join(folder, "finished");
    await mkdir(run, { recursive: true });
    await expect(refuseFinished(run)).resolves.toBeUndefined();
    writeFileSync(join(run, "run.json"), "{}");
    await expect(refuseFinished(run)).rejects.toThrow("holds a run that came to its end: there is nothing to resume");
    writeFileSync(join(run, "checkpoint.previous"), "");
    await expect(refuseFinished(run)).resolves.toBeUndefined();
  });
});

describe("an option that would change nothing", () => {
  const run = (command: typeof trainCommand, given: string): Promise<unknown> => {
    const all = ["--data", join(folder, "none"), "--out", join(folder, "unused"), ...given.split(" ")];
    return command().exitOverride().parseAsync(all, { from: "user" });
  };

  it.each([
    ["--rounds 5", "--rounds is of trees and lines corrected by trees, and mlp is none of them: leave it out"],
    ["--model trees --batch 64", "--batch is of networks, and trees is none of them: leave it out"],
    [
      "--model linear --workers 2",
      "--workers is of networks and trees and lines corrected by trees, and linear is none of them: leave it out",
    ],
    ["--model corrected --monotone x=1", "--monotone is of trees, and corrected is none of them: leave it out"],
    ["--model corrected --loss absolute", "--loss is of networks and trees, and corrected is none of them: leave it out"],
    ["--momentum 0.5", "--momentum is of --optimiser sgd and rmsprop, and adamw makes nothing of it: leave it out"],
    ["--optimiser rmsprop --nesterov", "--nesterov is of --optimiser sgd, and rmsprop makes nothing of it: leave it out"],
    ["--every-epochs 2", "--every-epochs is of --schedule step, and linear makes nothing of it: leave it out"],
    ["--schedule cosine --factor 0.5", "--factor is of --schedule step, and cosine makes nothing of it: leave it out"],
    ["--model trees --growth depth-wise --leaves 7", "--leaves is of --growth leaf-wise, and depth-wise makes nothing of it"],
    ["--model trees --answer classes --loss absolute", "--loss is of --answer moves, and classes makes nothing of it"],
    ["--model linear --answer classes --intercept", "--intercept is of --answer moves, and classes makes nothing of it"],
    ["--model lstm --hidden 64", "--hidden is of --model mlp, and lstm makes nothing of it: leave it out"],
    ["--model volumes --dropout 0.2", "--dropout is of --model mlp, and volumes makes nothing of it: leave it out"],
    ["--model trees --line", "--line is of networks, and trees is none of them: leave it out"],
    ["--model corrected --target-clip 20", "--target-clip is of networks and trees and lines, and corrected is none of them: leave it out"],
    ["--answer classes --target-clip none", "--target-clip is of --answer moves, and classes makes nothing of it: leave it out"],
    ["--answer classes --horizon-weights 1000:2", "--horizon-weights is of --answer moves, and classes makes nothing of it: leave it out"],
  ])("%s is refused, or a model would be taken for one of settings that it never had", async (given, message) => {
    await expect(run(trainCommand, given)).rejects.toThrow(message);
  });

  it.each([
    "--optimiser sgd --momentum 0.5 --nesterov",
    "--schedule step --every-epochs 2 --factor 0.5",
    "--model trees --leaves 7 --loss absolute",
    "--model linear --answer moves --intercept",
    "--model corrected --lambdas 0.1,0.01 --intercept --rounds 5 --leaf-rows 100",
    "--loss huber",
    "--target-clip none",
    "--model linear --target-clip 20",
    "--line --hidden 256,128 --dropout .25 --schedule one-cycle --horizon-weights 1000:2,5000:.5",
  ])("%s is taken", async (given) => {
    await expect(run(trainCommand, given)).rejects.toThrow("holds no dataset.json");
  });

  it("is refused by a search as well", async () => {
    await expect(run(searchCommand, "--momentum 0.5")).rejects.toThrow("adamw makes nothing of it");
    await expect(run(searchCommand, "--model trees --loss absolute")).rejects.toThrow("holds no dataset.json");
  });
});

describe("a dataset without a target of some horizon", () => {
  /** Forty stretches of 25 s: nothing is known of 30 s later. */
  const stretches = Array.from({ length: 40 }, (_, index) => ({
    rows: 25,
    seed: index,
    signal: 0.5,
    startTime: 1_767_225_600_000 + index * 60_000,
  }));

  it("is refused by the target's name: weights that nothing has moved would forecast it all the same", async () => {
    await writeToyDataset(join(folder, "short"), stretches);
    const dataset = await readDataset(join(folder, "short"));
    const { family, settings: model } = familyOf("trees", dataset);
    expect(() => rowsOfRun(dataset, { family, model })).toThrow(
      "no row to train on tells where the bid is 30 s later: no stretch without a gap is so long",
    );
    expect(rowsOfRun(dataset, { family, model, only: ["mid@5000"] }).train.rows).toBeGreaterThan(0);
  });
});

describe("an error", () => {
  it("of a full disk says so, with what to do and where it was", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { syscall: "write", code: "ENOSPC" });
    expect(explain(full)).toBe("the disk is full: make room and give the command again (ENOSPC: no space left on device, write)");
  });

  it("of ours is its own message, another of the system is told as it is, and a bug keeps its stack", () => {
    expect(explain(new CommandError("no such run"))).toBe("no such run");
    expect(explain(Object.assign(new Error("EIO: i/o error"), { syscall: "read", code: "EIO" }))).toBe("EIO: i/o error");
    expect(explain(new TypeError("x is not a function"))).toBeNull();
  });

  it("of a run.json that was cut off says that it is no JSON", async () => {
    const run = join(folder, "cut");
    await mkdir(run, { recursive: true });
    writeFileSync(join(run, "run.json"), '{"format": "edgebook-r');
    await expect(readRun(run)).rejects.toThrow("run.json is not a run (not JSON): train again");
  });
});
