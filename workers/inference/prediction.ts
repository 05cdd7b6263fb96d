/** From a model's numbers to what is said with them. Pure. */

import { applyBins } from "../../core/calibration/by-bins.ts";
import { labelKindOf } from "../../core/labels/moves.ts";
import { kindOf } from "../../models/shapes.ts";
import type { CalibratedHorizon, ClassesPrediction, ModelClaims, ModelRefusal, ModelSlot, Prediction, RosterRole } from "./contract.ts";
import { refuseModel } from "./refuse.ts";

/** Null where the model answers what its slot asks for. Moves that start at a mean of the past are nobody's: half of each is known already. */
export function judgeAnswer({ id, version, output, ...claims }: ModelClaims, slot: ModelSlot): ModelRefusal | null {
  const kind = kindOf(output);
  const isAsked = kind === "moves" || (kind === "classes" && slot === "signal");
  if (!isAsked) return refuseModel("not-a-forecast", `${id} ${version} answers ${kind}, and ${slot}s are made of ${ASKED[slot]}`);
  const label = labelKindOf(claims);
  return label === "smoothed"
    ? refuseModel("not-a-forecast", `${id} ${version} answers smoothed moves, which start at a mean of the past`)
    : null;
}

const ASKED: Readonly<Record<ModelSlot, string>> = { forecast: "moves", signal: "moves or classes" };

/** @param values [outputs] of one window, by a model of an answer that was judged. */
export function predictionOf(claims: ModelClaims, role: RosterRole, values: readonly number[]): Prediction {
  const { output, artifact, trainedOn, calibration } = claims;
  const basis = {
    ok: true,
    key: role.key,
    modelId: claims.id,
    version: claims.version,
    sha256: artifact.sha256,
    source: role.source,
    trainedOn: trainedOn.source,
    trainedTicks: trainedOn.ticksBps ?? null,
    label: labelKindOf(claims),
    fellBackFrom: role.fellBackFrom,
  } as const;
  if (output.unit === "probability") return { ...basis, kind: "classes", groups: groupsOf(output.groups, values) };
  if (output.unit !== "bps") throw new Error(`${claims.id} ${claims.version} answers in ${output.unit}, and was asked for a prediction`);
  const { columns } = output;
  return { ...basis, kind: "moves", columns, movesBps: values, calibrated: calibratedOf(calibration, { columns, movesBps: values }) };
}

function groupsOf(
  groups: readonly Omit<ClassesPrediction["groups"][number], "probabilities">[],
  values: readonly number[],
): ClassesPrediction["groups"] {
  let from = 0;
  return groups.map((group) => {
    const probabilities = values.slice(from, from + group.labels.length);
    from += group.labels.length;
    return { ...group, probabilities };
  });
}

/** Of the mid, the nearest horizon first. */
function calibratedOf(
  calibration: ModelClaims["calibration"],
  { columns, movesBps }: Pick<Extract<Prediction, { kind: "moves" }>, "columns" | "movesBps">,
): CalibratedHorizon[] | null {
  if (calibration === undefined) return null;
  const horizons: CalibratedHorizon[] = [];
  for (const output of calibration.outputs) {
    if (output.target !== "mid") continue;
    const at = columns.findIndex(
      ({ target, horizonMs, market }) => target === "mid" && horizonMs === output.horizonMs && market === undefined,
    );
    const moveBps = movesBps[at];
    if (moveBps !== undefined) horizons.push({ horizonMs: output.horizonMs, ...applyBins(output, moveBps) });
  }
  return horizons.sort((one, other) => one.horizonMs - other.horizonMs);
}
