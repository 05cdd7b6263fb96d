/**
 * What a served file costs: its size, the time of one forecast and the memory that it takes, measured in a process of its own, so that no other model's
 * memory or warm cache is in the numbers. By onnxruntime-node, one thread, one row a call; another machine has other numbers.
 */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

export interface ServedCosts {
  readonly bytes: number;
  /** Of one forecast, the median and the slowest in a hundred, µs. */
  readonly medianMicroseconds: number;
  readonly p99Microseconds: number;
  /** By which the process grew when the file was opened and had answered, MB. */
  readonly memoryMb: number;
}

const PROBE = join(import.meta.dirname, "served-probe.ts");
/** Opening and a thousand answers take seconds; a file that takes minutes is not for serving. */
const MOST_MS = 120_000;

/** @returns null where the process failed, and tells why. */
export async function measureServed(
  path: string,
  { inputName, shape, tell }: { inputName: string; shape: readonly number[]; tell: (message: string) => void },
): Promise<ServedCosts | null> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [PROBE, path, inputName, shape.join(",")], { timeout: MOST_MS });
    return JSON.parse(stdout) as ServedCosts;
  } catch (error) {
    tell(`${path} could not be timed: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}`);
    return null;
  }
}
