/** A search that was stopped and resumed. Losses prevented: hours of trainings made again, or another result than a search that never stopped has. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { CommandError } from "../../training/command-error.ts";
import { claimSearch, openTrainings, remembering, writeFound } from "../../training/search/search-folder.ts";
import { type SearchOptions, type SearchResult, searchSettings, type TrainOnce } from "../../training/search/search-settings.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const CONDITIONS = { data: "d", seed: "1" };
const never = (message: string): void => expect.unreachable(message);

/** Losses of every kind: a third, which no decimal writes down; none; and settings that can't be trained with. 8, 3 and 1 configurations on 2 folds. */
const lossOf: TrainOnce<string> = async ({ x }, budget, fold) => {
  if (Number(x) > 9) throw new CommandError(`x ${x} is too large`);
  if (Number(x) > 8) return fold === "late" ? Number.NaN : Number.POSITIVE_INFINITY;
  return Math.abs(Number(x) - 3) / 3 + 1 / budget;
};

function search(trainOnce: TrainOnce<string>): Promise<SearchResult> {
  const options: SearchOptions<string> = {
    space: { x: { kind: "linear", low: 0, high: 10 } },
    folds: ["early", "late"],
    trainOnce,
    configurations: 8,
    seed: 4,
    budgets: { least: 1, most: 9, factor: 3 },
  };
  return searchSettings(options);
}

class Stop extends Error {}

/** Stops before a training, and counts those that were done. */
function stoppingAfter(most: number): { trainOnce: TrainOnce<string>; done: () => number } {
  let done = 0;
  return {
    done: () => done,
    trainOnce: async (...training) => {
      if (done === most) throw new Stop();
      done++;
      return lossOf(...training);
    },
  };
}

async function kept(path: string, resume: boolean, trainOnce: TrainOnce<string>): Promise<SearchResult> {
  return search(remembering(await openTrainings(path, { conditions: CONDITIONS, resume }), ["early", "late"], trainOnce));
}

function fresh(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

describe("a search that was stopped", () => {
  it("wherever it was, once or again, finds what one that never stopped does, and trains nothing twice", async () => {
    const whole = stoppingAfter(Number.POSITIVE_INFINITY);
    const result = await search(whole.trainOnce);
    expect(result.failed).toBeGreaterThan(1);
    expect(result.best.rounds).toHaveLength(3);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(8), { minLength: 1, maxLength: 4 }), async (stops) => {
        const path = fresh(`stopped-${run++}`);
        let trained = 0;
        for (const [turn, most] of stops.entries()) {
          const part = stoppingAfter(most);
          await kept(path, turn > 0, part.trainOnce).catch((error: unknown) => expect(error).toBeInstanceOf(Stop));
          trained += part.done();
        }
        const last = stoppingAfter(Number.POSITIVE_INFINITY);
        expect(await kept(path, true, last.trainOnce)).toEqual(result);
        expect(trained + last.done()).toBe(whole.done());
      }),
      { numRuns: 25 },
    );
  });

  it("in the midst of a line trains that one again; a line that is none elsewhere is refused with its number", async () => {
    const path = fresh("torn");
    await expect(kept(path, false, stoppingAfter(5).trainOnce)).rejects.toThrow(Stop);
    const file = join(path, "trainings.ndjson");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.slice(0, -4));
    const last = stoppingAfter(Number.POSITIVE_INFINITY);
    expect(await kept(path, true, last.trainOnce)).toEqual(await search(lossOf));
    expect(last.done()).toBe((await countOf()) - 4);
    expect(readFileSync(file, "utf8").startsWith(text)).toBe(true);
    writeFileSync(file, `${text}oops\n${text}`);
    await expect(kept(path, true, lossOf)).rejects.toThrow(`line 6 of ${file} is no training: begin anew with --overwrite`);
  });

  it("goes on with the same options alone: with others its losses would be of other trainings", async () => {
    const path = fresh("others");
    await expect(openTrainings(path, { conditions: CONDITIONS, resume: true })).rejects.toThrow("holds no search to go on with");
    await openTrainings(path, { conditions: CONDITIONS, resume: false });
    await expect(openTrainings(path, { conditions: { ...CONDITIONS, seed: "2" }, resume: true })).rejects.toThrow(
      `${path} holds another search (seed was 1, now 2): resume with the same options, or begin anew with --overwrite`,
    );
    writeFileSync(join(path, "search.json"), "{");
    await expect(openTrainings(path, { conditions: CONDITIONS, resume: true })).rejects.toThrow("search.json is corrupt");
  });

  it("isn't written over by a new one, nor is one that came to its end", async () => {
    const path = fresh("claimed");
    const claim = (resume: boolean, overwrite: boolean) => claimSearch(path, { resume, overwrite }, never);
    await openTrainings(path, { conditions: CONDITIONS, resume: false });
    await expect(claim(false, false)).rejects.toThrow("holds a search that was interrupted: go on with --resume, or begin anew with");
    await (await claim(true, false)).release();
    await writeFound(path, {});
    await expect(claim(false, false)).rejects.toThrow("holds a search that came to its end: name another --out, or replace it with");
    await expect(claim(true, false)).rejects.toThrow("came to its end: there is nothing to resume");
    const held = await claim(false, true);
    await expect(claim(false, true)).rejects.toThrow("another command is at work");
    await openTrainings(path, { conditions: CONDITIONS, resume: false });
    await held.release();
    expect(readdirSync(path)).toEqual(["search.json"]);
  });
});

async function countOf(): Promise<number> {
  const whole = stoppingAfter(Number.POSITIVE_INFINITY);
  await search(whole.trainOnce);
  return whole.done();
}

describe("edgebook search", () => {
  const MAIN = new URL("../../training/command-line/main.ts", import.meta.url).pathname;
  const data = join(folder, "data");
  const OPTIONS: Readonly<Record<string, readonly string[]>> = {
    mlp: ["--epochs", "9", "--least-epochs", "1", "--configurations", "8", "--folds", "2", "--workers", "1"],
    trees: ["--rounds", "90", "--least-rounds", "10", "--configurations", "8", "--folds", "2", "--workers", "1"],
    linear: ["--configurations", "300", "--folds", "2"],
  };

  beforeAll(async () => {
    await writeToyDataset(data, [{ rows: 1_500, seed: 21, signal: 0.5 }]);
  });

  function start(model: string, out: string, ...more: string[]): { child: ChildProcess; stderr: () => string } {
    const given = ["search", "--data", data, "--model", model, "--out", out, ...(OPTIONS[model] ?? []), ...more];
    const child = spawn(process.execPath, [MAIN, ...given], { stdio: ["ignore", "ignore", "pipe"] });
    let text = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    return { child, stderr: () => text };
  }

  function trainingsIn(out: string): number {
    const file = join(out, "trainings.ndjson");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
  }

  /** Resolves when some trainings more are done, so that it is at work. */
  function isAtWork(out: string): Promise<void> {
    mkdirSync(out, { recursive: true });
    const before = trainingsIn(out);
    return new Promise((resolve) => {
      const watcher = watch(out, () => {
        if (trainingsIn(out) < before + 3) return;
        watcher.close();
        resolve();
      });
    });
  }

  it.each(["mlp", "trees", "linear"])(
    "of %s stopped by ctrl-C says how to go on; killed it goes on too, to the same file",
    async (model) => {
      const [whole, stopped] = [join(folder, `${model}-whole`), join(folder, `${model}-stopped`)];
      const first = start(model, whole);
      expect((await once(first.child, "close"))[0], first.stderr()).toBe(0);
      let more: string[] = [];
      for (const signal of ["SIGINT", "SIGKILL"] as const) {
        const atWork = isAtWork(stopped);
        const { child, stderr } = start(model, stopped, ...more);
        await atWork;
        child.kill(signal);
        const [code, by] = await once(child, "close");
        expect([code, by], stderr()).toEqual(signal === "SIGINT" ? [130, null] : [null, "SIGKILL"]);
        if (signal === "SIGINT")
          expect(stderr()).toMatch(/the search was interrupted; all trainings so far are kept.*--out \S+ .*--resume/s);
        expect(existsSync(join(stopped, "found.json"))).toBe(false);
        more = ["--resume"];
      }
      const last = start(model, stopped, "--resume");
      expect((await once(last.child, "close"))[0], last.stderr()).toBe(0);
      expect(last.stderr()).toContain("ended before it was done: going on without it");
      for (const file of ["found.json", "search.json"])
        expect(readFileSync(join(stopped, file), "utf8"), file).toBe(readFileSync(join(whole, file), "utf8"));
      const trainings = readFileSync(join(stopped, "trainings.ndjson"), "utf8");
      expect(trainings).toBe(readFileSync(join(whole, "trainings.ndjson"), "utf8"));
    },
  );
});
