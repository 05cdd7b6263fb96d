/**
 * Who races: ours and the peers, each a process of its own that reads the same files and takes the same settings, a line of JSON a request. A peer
 * needs a Python that has it: EDGEBOOK_PYTHON, or python3.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { TreeData, TreeSettings } from "../../training/trees/contract.ts";
import { dataLoss } from "../../training/trees/data-loss.ts";
import type { Drawn } from "./data-sets.ts";

export interface TrainRequest {
  /** Of train-features.f32, test-targets.f32 and so on. */
  readonly folder: string;
  readonly columns: number;
  readonly isWeighted: boolean;
  readonly settings: TreeSettings;
  /** File for the raw answers to the test rows, float32. */
  readonly answers: string;
  /** LightGBM's layout of histograms; left out: its own choice. */
  readonly layout?: "row" | "col";
}

export interface TrainResult {
  /** From arrays to a model. */
  readonly seconds: number;
  /** Of all threads. */
  readonly cpuSeconds: number;
  /** Of the process so far: its rows are in it. */
  readonly peakBytes: number;
  /** Of the model; null where the library has no text of it. */
  readonly hash: string | null;
}

export interface Trained extends TrainResult {
  /** Of the test rows, by the objective's own measure. */
  readonly testLoss: number;
}

export type ContenderName = "edgebook" | "lightgbm" | "sklearn";

/** Writes the rows where all contenders read them. */
export function writeRows(folder: string, { train, test }: Drawn): void {
  mkdirSync(folder, { recursive: true });
  for (const [part, rows] of Object.entries({ train, test })) {
    writeFileSync(join(folder, `${part}-features.f32`), rows.features);
    writeFileSync(join(folder, `${part}-targets.f32`), rows.targets);
    if (rows.weights !== null) writeFileSync(join(folder, `${part}-weights.f32`), rows.weights);
  }
}

export class TreeContender {
  readonly name: ContenderName;
  readonly version: string;
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  private constructor(name: ContenderName, started: { version: string; child: ChildProcess; lines: AsyncIterator<string> }) {
    this.name = name;
    this.version = started.version;
    this.child = started.child;
    this.lines = started.lines;
  }

  /** @returns a text that says why where the peer is not installed. */
  static async start(name: ContenderName, environment: Readonly<Record<string, string>> = {}): Promise<TreeContender | string> {
    const [program, script] =
      name === "edgebook"
        ? [process.execPath, resolve(import.meta.dirname, "own-process.ts")]
        : [process.env.EDGEBOOK_PYTHON ?? "python3", resolve(import.meta.dirname, "..", "peers", "train_trees.py")];
    const child = spawn(program, [script, name], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...environment } });
    const failed = new Promise<string>((tell) => child.once("error", (error) => tell(error.message)));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), failed]);
    if (typeof first === "string") return `${program}: ${first}`;
    if (first.done === true) return `${program} ended without a word`;
    const ready = JSON.parse(first.value) as { ready: boolean; version: string; reason?: string };
    return ready.ready ? new TreeContender(name, { version: ready.version, child, lines }) : (ready.reason ?? "not installed");
  }

  async train(request: Omit<TrainRequest, "answers">, test: TreeData): Promise<Trained> {
    const answers = join(request.folder, `answers-${this.name}.f32`);
    this.child.stdin?.write(`${JSON.stringify({ ...request, answers })}\n`);
    const line = await this.lines.next();
    if (line.done === true) throw new Error(`${this.name} ended in the middle of its work`);
    const result = JSON.parse(line.value) as TrainResult;
    const bytes = readFileSync(answers);
    const testLoss = dataLoss(request.settings.objective, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), test);
    if (testLoss === null) throw new Error("no test rows");
    return { ...result, testLoss };
  }

  stop(): void {
    this.child.stdin?.end();
  }
}
