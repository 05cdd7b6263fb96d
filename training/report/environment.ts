/**
 * What a run was made on: environment.json, beside the run and not in its card, since the run's own bytes must not depend on the machine. A report
 * shows whatever is in it.
 */

import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { flatten } from "./flatten.ts";

const FILE = "environment.json";
const GIB = 1_073_741_824;

export async function writeEnvironment(folder: string): Promise<void> {
  const environment = {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? "unknown",
    threads: availableParallelism(),
    "memory GiB": Math.round(totalmem() / GIB),
    onnxruntime: await runtimeVersion(),
  };
  await writeFile(join(folder, FILE), `${JSON.stringify(environment, null, 2)}\n`);
}

/** Null where there is none, or none that can be read. */
export async function readEnvironment(folder: string): Promise<Record<string, string> | null> {
  const text = await readFile(join(folder, FILE), "utf8").catch(() => null);
  if (text === null) return null;
  try {
    return Object.fromEntries(flatten(z.record(z.string(), z.unknown()).parse(JSON.parse(text))));
  } catch {
    return null;
  }
}

/** Both runtimes are pinned to one exact version, which `npm ci` installs. */
async function runtimeVersion(): Promise<string> {
  const description = await readFile(join(import.meta.dirname, "../../package.json"), "utf8").catch(() => "{}");
  const read = z.object({ dependencies: z.object({ "onnxruntime-node": z.string() }) }).safeParse(JSON.parse(description));
  return read.data?.dependencies["onnxruntime-node"] ?? "unknown";
}
