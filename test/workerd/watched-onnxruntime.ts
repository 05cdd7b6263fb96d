/** onnxruntime's real calls, watched until the test ends. */

import type { InferenceSession } from "onnxruntime-web/wasm";
import { type MockInstance, onTestFinished, vi } from "vitest";
import { loadOnnxruntime } from "../../workers/inference/onnxruntime.ts";

/** The memory of models given back. */
export async function watchReleases(): Promise<MockInstance> {
  const { InferenceSession } = await loadOnnxruntime();
  const releases = vi.spyOn(Reflect.get(InferenceSession, "prototype") as InferenceSession, "release");
  onTestFinished(() => releases.mockRestore());
  return releases;
}

export async function watchRuns(): Promise<MockInstance> {
  const { InferenceSession } = await loadOnnxruntime();
  const runs = vi.spyOn(Reflect.get(InferenceSession, "prototype") as InferenceSession, "run");
  onTestFinished(() => runs.mockRestore());
  return runs;
}

/** Sessions that were made since, how many of them are held now, and the most that were at once. */
export async function watchSessions(): Promise<{ created: MockInstance; held: () => number; most: () => number }> {
  const { InferenceSession } = await loadOnnxruntime();
  const create = InferenceSession.create.bind(InferenceSession) as (artifact: Uint8Array) => Promise<InferenceSession>;
  let held = 0;
  let most = 0;
  const created = vi.spyOn(InferenceSession, "create").mockImplementation((async (artifact: Uint8Array) => {
    held++;
    most = Math.max(most, held);
    const session = await create(artifact);
    const release = session.release.bind(session);
    session.release = () => {
      held--;
      return release();
    };
    return session;
  }) as never);
  onTestFinished(() => created.mockRestore());
  return { created, held: () => held, most: () => most };
}
