/**
 * PyTorch in a process of its own, bench/peers/train_nn.py, asked by lines of JSON. Between requests it is stopped (SIGSTOP): its threads may wait by
 * spinning, which would slow whoever is timed next.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** How PyTorch is run: threads, and how they wait for each other. */
export interface TorchSetting {
  readonly threads: number;
  readonly waitPolicy: "active" | "passive" | null;
}

/** All that its documents and users name for a machine of two cores. */
export const TORCH_SETTINGS: readonly TorchSetting[] = [
  { threads: 1, waitPolicy: null },
  { threads: 2, waitPolicy: null },
  { threads: 2, waitPolicy: "passive" },
  { threads: 2, waitPolicy: "active" },
];

export function showSetting({ threads, waitPolicy }: TorchSetting): string {
  const policy = waitPolicy === null ? "" : `, OMP_WAIT_POLICY=${waitPolicy}`;
  return `${threads} thread${threads === 1 ? "" : "s"}${policy}`;
}

export interface TorchPeer {
  readonly version: string;
  readonly setting: TorchSetting;
  /** Throws what the peer says went wrong. */
  ask(request: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
  close(): void;
}

/** @returns null where there is no Python with PyTorch: EDGEBOOK_PYTHON names it, else `python3`. */
export async function openTorchPeer(setting: TorchSetting): Promise<TorchPeer | null> {
  const script = fileURLToPath(new URL("../peers/train_nn.py", import.meta.url));
  const policy = setting.waitPolicy === null ? {} : { OMP_WAIT_POLICY: setting.waitPolicy };
  const child = spawn(process.env.EDGEBOOK_PYTHON ?? "python3", [script, String(setting.threads)], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", ...policy },
  });
  const next = answers(child);
  const hello = await next().catch(() => null);
  if (hello === null) return null;
  child.kill("SIGSTOP");
  // A stopped process would outlive us.
  process.once("exit", () => child.kill("SIGKILL"));
  return {
    version: String(hello.version),
    setting,
    async ask(request) {
      child.kill("SIGCONT");
      try {
        child.stdin?.write(`${JSON.stringify(request)}\n`);
        const answer = await next();
        if (answer.failure !== undefined) throw new Error(`PyTorch: ${String(answer.failure)}`);
        return answer;
      } finally {
        child.kill("SIGSTOP");
      }
    },
    close() {
      child.kill("SIGKILL");
    },
  };
}

function answers(child: ChildProcess): () => Promise<Record<string, unknown>> {
  const { stdout } = child;
  if (stdout === null) throw new Error("the peer has no output");
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the peer ended (${code})`)));
  });
  ended.catch(() => null);
  return async () => {
    const line = await Promise.race([lines.next(), ended]);
    if (line.done) throw new Error("the peer said no more");
    return JSON.parse(line.value) as Record<string, unknown>;
  };
}
