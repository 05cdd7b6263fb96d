/** What must be the same for a training to go on from a checkpoint, as texts that a person can compare. */

import { createHash } from "node:crypto";
import { CommandError } from "../command-error.ts";
import type { EngineTask } from "./contract.ts";
import type { Plan } from "./plan.ts";

export function conditionsOf(task: EngineTask, plan: Plan): Record<string, string> {
  const { settings } = task;
  const texts = Object.entries(settings).map(([name, value]) => [name, JSON.stringify(value)] as const);
  return {
    ...Object.fromEntries(texts),
    backend: task.runtime.name,
    data: task.data,
    ...(task.keeps === "last" ? { keeps: task.keeps } : {}),
    network: fingerprintOf(plan),
  };
}

/** The graph holds the network, its loss and its shapes, but not what is held within a norm. */
function fingerprintOf({ gradientModel, normLimits }: Plan): string {
  const hash = createHash("sha256").update(gradientModel);
  if (normLimits.length > 0) hash.update(JSON.stringify(normLimits));
  return hash.digest("hex").slice(0, 16);
}

/** Throws CommandError that names what differs. */
export function refuseOthers(path: string, kept: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): void {
  const names = [...new Set([...Object.keys(kept), ...Object.keys(now)])];
  const differing = names
    .filter((name) => kept[name] !== now[name])
    .map((name) => `${name} was ${kept[name] ?? "none"}, now ${now[name] ?? "none"}`);
  if (differing.length === 0) return;
  throw new CommandError(
    `the checkpoint ${path} is of another training (${differing.join("; ")}): resume with the same, or train anew with --overwrite`,
  );
}
