/** The served model as the API shows it: its claims and scores, without weights, statistics and golden vectors. Pure. */

import { labelKindOf } from "../../../core/labels/moves.ts";
import type { ModelView } from "../../inference/former-contract.ts";
import type { ModelBody } from "../schemas.ts";

export function modelBody({ manifest, source, fellBackFrom }: ModelView): ModelBody {
  const { id, version, family, artifact, opset, featureSet, intervalMs, output, trainedOn, scores, scoredOn } = manifest;
  return {
    id,
    version,
    family,
    source,
    fellBackFrom: fellBackFrom === null ? null : { fault: fellBackFrom.fault, detail: fellBackFrom.detail },
    sha256: artifact.sha256,
    bytes: artifact.bytes,
    opset,
    featureSet: { ...featureSet, columns: [...featureSet.columns] },
    intervalMs,
    outputs: output.unit === "bps" ? output.columns.map(({ target, horizonMs }) => ({ target, horizonMs })) : [],
    label: labelKindOf(manifest),
    trainedOn,
    scores: [...scores],
    scoredOn,
  };
}
