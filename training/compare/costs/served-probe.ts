/** The process that measure-served.ts starts: `served-probe.ts FILE INPUT SHAPE`, a line of JSON out. */

import { readFileSync } from "node:fs";
import { quantile } from "../../../core/math/quantile.ts";
import { Random } from "../../../core/math/random.ts";
import { nodeRuntime } from "../../runtime/node-runtime.ts";
import type { ServedCosts } from "./measure-served.ts";

const WARM_UP = 200;
const FORECASTS = 1_000;
/** Inputs of an LSTM of a hundred rows take a millisecond; a slower model is timed for so long. */
const MOST_MS = 10_000;
/** Different rows by turns, so that no branch of a tree is always taken. */
const ROWS = 64;

const [path = "", inputName = "", shapeText = ""] = process.argv.slice(2);
const shape = [1, ...shapeText.split(",").map(Number)];
const onnx = readFileSync(path);
// The runtime's own libraries are in the process before the file is.
const before = process.memoryUsage().rss;
const session = await nodeRuntime.open(onnx);
const random = new Random(1);
const size = shape.reduce((product, dimension) => product * dimension, 1);
const inputs = Array.from({ length: ROWS }, () => Float32Array.from({ length: size }, () => random.normal()));
const times: number[] = [];
const begun = performance.now();
for (let at = 0; at < WARM_UP + FORECASTS && performance.now() - begun < MOST_MS; at++) {
  const from = performance.now();
  await session.run({ [inputName]: { shape, data: inputs[at % ROWS] as Float32Array } });
  times.push(1_000 * (performance.now() - from));
}
const costs: ServedCosts = {
  bytes: onnx.length,
  medianMicroseconds: quantile(times.slice(-FORECASTS), 0.5) ?? 0,
  p99Microseconds: quantile(times.slice(-FORECASTS), 0.99) ?? 0,
  memoryMb: Math.max(0, process.memoryUsage().rss - before) / 1_048_576,
};
process.stdout.write(JSON.stringify(costs));
