/**
 * An exported model as it lies on disk: a folder with manifest.json and model.onnx, or the path of the manifest beside its file. Both are hostile until
 * read here: the manifest has to agree with itself, the file to have its bytes and hash, and to give the golden answers.
 */

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ModelFamily, ModelManifest } from "../../models/contract.ts";
import { parseManifest } from "../../models/manifest.ts";
import { prepareWindows } from "../../models/prepare.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { windowOf } from "../../models/shapes.ts";
import { CommandError } from "../command-error.ts";
import type { Runtime, Session } from "../runtime/contract.ts";

export interface OpenModel {
  readonly manifest: ModelManifest;
  readonly family: ModelFamily;
  readonly session: Session;
}

/** @param path a folder, or its manifest. Throws CommandError with the first claim that is wrong. The session is the caller's to release. */
export async function openModel(path: string, runtime: Runtime): Promise<OpenModel> {
  const isFolder = (await stat(path).catch(() => null))?.isDirectory() === true;
  const manifestPath = isFolder ? join(path, "manifest.json") : path;
  const text = await readFile(manifestPath, "utf8").catch(() => null);
  if (text === null) throw new CommandError(`there is no ${manifestPath}: \`edgebook export-model\` writes one, with model.onnx beside it`);
  const parsed = parseManifest(text);
  if ("malformed" in parsed) throw new CommandError(`${manifestPath} is no manifest of a model: ${parsed.malformed}`);
  const { manifest } = parsed;
  const family = MODEL_FAMILIES.get(manifest.family);
  if (family === undefined) throw new CommandError(`${manifestPath} is of the family ${manifest.family}, which is not known here`);
  const filePath = join(dirname(manifestPath), manifest.artifact.file);
  const onnx = await readFile(filePath).catch(() => null);
  if (onnx === null) throw new CommandError(`${filePath} is missing: a manifest alone can't forecast`);
  const sha256 = createHash("sha256").update(onnx).digest("hex");
  if (sha256 !== manifest.artifact.sha256)
    throw new CommandError(
      `${filePath} has the SHA-256 ${sha256}, its manifest says ${manifest.artifact.sha256}: copy it again, or export the model again`,
    );
  const session = await runtime.open(onnx).catch((error: unknown) => {
    throw new CommandError(
      `onnxruntime refuses ${filePath}: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}`,
    );
  });
  await judgeGolden({ manifest, family, session }, filePath);
  return { manifest, family, session };
}

/** @param inputs prepared, [rows, window x columns]. @returns [rows, outputs] */
export async function answerOf(
  { manifest, session }: Pick<OpenModel, "manifest" | "session">,
  inputs: Float32Array,
  rows: number,
): Promise<Float32Array> {
  const shape = manifest.input.shape.map((size) => (size === "batch" ? rows : size));
  const answer = await session.run({ [manifest.input.name]: { shape, data: inputs } });
  const values = answer[manifest.output.name];
  if (values === undefined) throw new CommandError(`the file has no output ${manifest.output.name}, as its manifest says`);
  return Float32Array.from(values);
}

async function judgeGolden(model: OpenModel, path: string): Promise<void> {
  const { golden, normaliser } = model.manifest;
  const inputs = prepareWindows(golden.inputs, normaliser, windowOf(model.manifest));
  const answers = await answerOf(model, inputs, golden.inputs.length);
  const expected = golden.outputs.flat();
  const largest = expected.reduce((most, value, cell) => Math.max(most, Math.abs(value - (answers[cell] ?? Number.NaN))), 0);
  if (largest <= golden.tolerance && answers.length === expected.length) return;
  throw new CommandError(
    `${path} differs by ${largest} from its golden answers, more than ${golden.tolerance}: it is not what its manifest is of`,
  );
}
