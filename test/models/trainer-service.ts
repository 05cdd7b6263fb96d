/**
 * Answers the workerd tests with models made in Node: "/deeplob/moves" gives the manifest, its length in a header, and behind it the file.
 * "/deeplob/moves/line" has a line beside its network, "/mlp/moves/all" dropout and widths of its own too.
 */

import type { AnswerKind } from "../../models/contract.ts";
import { exportTiny, familyNamed, makeTiny, type TinyTask } from "./tiny-trainer.ts";

const BESIDES: Readonly<Record<string, TinyTask["besides"]>> = {
  line: { hasLine: true },
  all: { hasLine: true, hidden: [24, 12], dropout: 0.25 },
};

const made = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
const lengths = new Map<string, number>();

export async function answerRequest(path: string): Promise<Response> {
  const body = made.get(path) ?? make(path);
  made.set(path, body);
  try {
    return new Response(await body, { headers: { "manifest-bytes": String(lengths.get(path)) } });
  } catch (error) {
    return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 });
  }
}

async function make(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const [, id = "", kind = "", besides = ""] = path.split("/");
  const family = familyNamed(id);
  const model = await makeTiny({
    family,
    answer: kind as AnswerKind,
    size: "paper",
    besides: BESIDES[besides] ?? {},
    rows: 2,
    steps: 3,
    learningRate: 2e-3,
  });
  const { manifest, artifact } = await exportTiny(family, model);
  const text = new TextEncoder().encode(manifest);
  lengths.set(path, text.length);
  const bytes = new Uint8Array(text.length + artifact.length);
  bytes.set(text);
  bytes.set(artifact, text.length);
  return bytes;
}
