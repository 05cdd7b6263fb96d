/** Our side of a race: what peers/train_trees.py does, in a process of its own, so that time and memory are measured alike. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { rawAnswers } from "../../training/trees/answer.ts";
import type { TreeData } from "../../training/trees/contract.ts";
import { trainTrees } from "../../training/trees/train-trees.ts";
import { encodeTrees, hashOfTrees } from "../../training/trees/tree-file.ts";
import type { TrainRequest, TrainResult } from "./contenders.ts";

process.stdout.write(`${JSON.stringify({ ready: true, version: process.version })}\n`);
let loaded = { folder: "", train: emptyRows(), test: emptyRows() };
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as TrainRequest;
  if (loaded.folder !== request.folder)
    loaded = { folder: request.folder, train: readRows(request, "train"), test: readRows(request, "test") };
  process.stdout.write(`${JSON.stringify(await race(request, loaded.train, loaded.test))}\n`);
}

async function race({ settings, answers }: TrainRequest, train: TreeData, test: TreeData): Promise<TrainResult> {
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  const { ensemble } = await trainTrees(train, { settings });
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const hash = hashOfTrees(encodeTrees(ensemble));
  const peakBytes = process.resourceUsage().maxRSS * 1_024;
  writeFileSync(answers, rawAnswers(ensemble, test));
  return { seconds, cpuSeconds: (user + system) / 1e6, peakBytes, hash };
}

function emptyRows(): TreeData {
  return { rows: 0, columns: 0, features: new Float32Array(0), targets: new Float32Array(0), weights: null };
}

function readRows({ folder, columns, isWeighted }: TrainRequest, part: "train" | "test"): TreeData {
  const read = (name: string): Float32Array => {
    const bytes = readFileSync(join(folder, `${part}-${name}.f32`));
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  };
  const targets = read("targets");
  return { rows: targets.length, columns, features: read("features"), targets, weights: isWeighted ? read("weights") : null };
}
