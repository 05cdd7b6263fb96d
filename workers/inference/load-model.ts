/**
 * From files to a model that may answer. Every claim of the manifest is checked, in this order, and the first that fails is the refusal:
 * 1. the manifest is one, and agrees with itself (models/manifest.ts);
 * 2. the artifact has the bytes and the SHA-256 that it says;
 * 3. its feature set is one that this system computes, column by column, or the layout of its family (which the manifest's reader has judged);
 * 4. onnxruntime takes the artifact;
 * 5. the graph's inputs and outputs have the names, types and shapes that it says;
 * 6. the golden rows give the golden answers, within the tolerance that it says.
 */

import { findFeatureSet } from "../../core/features/registry.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { parseManifest } from "../../models/manifest.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { outputWidth } from "../../models/shapes.ts";
import type { ModelRefusal } from "./contract.ts";
import { LoadedModel, type Session } from "./loaded-model.ts";
import type { ModelFiles } from "./model-files.ts";
import { loadOnnxruntime } from "./onnxruntime.ts";
import { refuseModel } from "./refuse.ts";
import { sha256Hex } from "./sha256.ts";

export async function loadModel({ source, manifest: text, artifact }: ModelFiles): Promise<LoadedModel | ModelRefusal> {
  const parsed = parseManifest(text);
  if ("malformed" in parsed) return refuseModel("bad-manifest", parsed.malformed);
  const { manifest } = parsed;
  const refused = (await judgeArtifact(manifest, artifact)) ?? judgeFeatures(manifest);
  if (refused !== null) return refused;
  const session = await createSession(artifact);
  if ("ok" in session) return session;
  const model = new LoadedModel({ source, manifest, session, Tensor: (await loadOnnxruntime()).Tensor });
  const faulty = judgeShapes(manifest, session) ?? (await judgeGolden(manifest, model));
  if (faulty === null) return model;
  await model.release();
  return faulty;
}

async function judgeArtifact({ artifact: claimed }: ModelManifest, artifact: Uint8Array): Promise<ModelRefusal | null> {
  if (artifact.byteLength !== claimed.bytes) {
    return refuseModel("hash-mismatch", `the model file has ${artifact.byteLength} bytes, its manifest says ${claimed.bytes}`);
  }
  const sha256 = await sha256Hex(artifact);
  return sha256 === claimed.sha256
    ? null
    : refuseModel("hash-mismatch", `the model file has the SHA-256 ${sha256}, its manifest says ${claimed.sha256}`);
}

function judgeFeatures({ family, featureSet }: ModelManifest): ModelRefusal | null {
  if (MODEL_FAMILIES.get(family)?.inputs.kind === "layout") return null;
  const known = findFeatureSet(featureSet.fingerprint);
  if (known === null) {
    return refuseModel(
      "fingerprint-mismatch",
      `trained on the features ${featureSet.id} ${featureSet.fingerprint}, which are not computed here`,
    );
  }
  const at = featureSet.columns.findIndex((column, index) => column !== known.columns[index]);
  if (at < 0 && featureSet.columns.length === known.columns.length) return null;
  return refuseModel(
    "fingerprint-mismatch",
    `the columns of the features ${featureSet.id} are not those of ${known.id} from number ${at} on`,
  );
}

async function createSession(artifact: Uint8Array): Promise<Session | ModelRefusal> {
  try {
    const { InferenceSession } = await loadOnnxruntime();
    return await InferenceSession.create(artifact);
  } catch (error) {
    return refuseModel("not-loadable", `onnxruntime refuses the model file: ${firstLine(error)}`);
  }
}

/** ONNX says nothing of the batch's size but a name; a number there would be a graph that takes so many rows alone. */
function judgeShapes({ input, output }: ModelManifest, session: Session): ModelRefusal | null {
  const numbers = input.shape.reduce<number>((product, size) => (size === "batch" ? product : product * size), 1);
  return (
    judgeValue({ name: input.name, shape: input.shape, values: session.inputMetadata, what: "input" }) ??
    judgeValue({ name: output.name, shape: ["batch", outputWidth(output, numbers)], values: session.outputMetadata, what: "output" })
  );
}

interface ValueClaim {
  readonly name: string;
  readonly shape: readonly (number | "batch")[];
  readonly values: Session["inputMetadata"];
  readonly what: "input" | "output";
}

function judgeValue({ name, shape, values, what }: ValueClaim): ModelRefusal | null {
  const value = values[0];
  const claimed = `${name}: float32 [${shape.join(", ")}]`;
  if (values.length !== 1 || value === undefined) {
    return refuseModel("shape-mismatch", `the graph has ${values.length} ${what}s, its manifest one, ${claimed}`);
  }
  const found = value.isTensor ? `${value.name}: ${value.type} [${value.shape.join(", ")}]` : `${value.name}, which is no tensor`;
  const isAsClaimed =
    value.isTensor &&
    value.name === name &&
    value.type === "float32" &&
    value.shape.length === shape.length &&
    value.shape.every((size, index) => (shape[index] === "batch" ? typeof size === "string" : size === shape[index]));
  return isAsClaimed ? null : refuseModel("shape-mismatch", `the graph's ${what} is ${found}, its manifest says ${claimed}`);
}

async function judgeGolden({ golden }: ModelManifest, model: LoadedModel): Promise<ModelRefusal | null> {
  const answers = await model.answer(golden.inputs);
  if ("ok" in answers) return answers;
  for (const [row, expected] of golden.outputs.entries()) {
    for (const [column, value] of expected.entries()) {
      const answer = answers[row]?.[column];
      if (answer === undefined || !(Math.abs(answer - value) <= golden.tolerance)) {
        return refuseModel(
          "golden-mismatch",
          `golden row ${row}, output ${column}: ${answer} where ${value} ± ${golden.tolerance} was promised`,
        );
      }
    }
  }
  return null;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]?.slice(0, 300) ?? "";
}
