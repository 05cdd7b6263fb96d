/** FastAPI, uvicorn and onnxruntime on the same model: bench/peers/forecast_http.py, in a process of its own that is stopped while it isn't its turn. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TrainedModel } from "./models.ts";

/** `plain` computes each answer; `kept` one a market and second, as ours does. */
export type Manner = "plain" | "kept";

export interface PythonPeer {
  readonly manner: Manner;
  readonly base: string;
  readonly pid: number;
  readonly version: string;
  resume(): void;
  pause(): void;
  stop(): Promise<void>;
}

const STARTS_WITHIN_MS = 60_000;

/** @returns why there is none: EDGEBOOK_PYTHON names the Python, else `python3`, and it has no FastAPI, uvicorn or onnxruntime. */
export async function startPythonPeer(
  model: TrainedModel,
  { manner, threads }: { manner: Manner; threads: number },
): Promise<PythonPeer | string> {
  const script = fileURLToPath(new URL("../peers/forecast_http.py", import.meta.url));
  const child = spawn(process.env.EDGEBOOK_PYTHON ?? "python3", [script, model.folder, manner, String(threads)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-2_000);
  });
  const ready = await firstLine(child);
  if (ready === null) return said.trim().split("\n").at(-1) ?? "it doesn't start";
  process.once("exit", () => child.kill("SIGKILL"));
  const { port, versions } = JSON.parse(ready) as { port: number; versions: Record<"fastapi" | "uvicorn" | "onnxruntime", string> };
  const base = `http://127.0.0.1:${port}`;
  await untilAnswering(base);
  child.kill("SIGSTOP");
  return {
    manner,
    base,
    pid: child.pid ?? 0,
    version: `FastAPI ${versions.fastapi}, uvicorn ${versions.uvicorn}, onnxruntime ${versions.onnxruntime}`,
    resume: () => child.kill("SIGCONT"),
    pause: () => child.kill("SIGSTOP"),
    stop: async () => {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string | null> {
  if (child.stdout === null) return null;
  const lines = createInterface({ input: child.stdout });
  const line = once(lines, "line").then(([text]) => String(text));
  const failed = Promise.race([once(child, "exit"), once(child, "error")]).then(
    () => null,
    () => null,
  );
  return Promise.race([line, failed]);
}

async function untilAnswering(base: string): Promise<void> {
  const deadline = Date.now() + STARTS_WITHIN_MS;
  while (Date.now() < deadline) {
    const answer = await fetch(`${base}/docs`).catch(() => null);
    if (answer !== null) return;
    await new Promise((next) => setTimeout(next, 100));
  }
  throw new Error("the peer listens, and doesn't answer");
}
