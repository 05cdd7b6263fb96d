/** The model that ships with this Worker, made by the command in training's README; served until one is published, and when that one is faulty. */

import type { ModelFiles } from "./model-files.ts";
import manifest from "./shipped/manifest.json" with { type: "json" };
import artifact from "./shipped/model.onnx";

export const shippedModel: ModelFiles = { source: "shipped", manifest: JSON.stringify(manifest), artifact: new Uint8Array(artifact) };
