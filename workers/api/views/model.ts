/** Models as the API shows them: their claims and scores, without weights, statistics and golden vectors; and who plays which role. Pure. */

import { labelKindOf } from "../../../core/labels/moves.ts";
import { kindOf, windowOf } from "../../../models/shapes.ts";
import { EVERY_MARKET, type ModelRefusal, type ModelView, type Roster, type RosterRole } from "../../inference/contract.ts";
import { refuseModel } from "../../inference/refuse.ts";
import { rolesFor } from "../../inference/roles-for.ts";
import type { models } from "../../storage/schema.ts";
import type { ModelBody, ModelListBody } from "../model-schemas.ts";

export interface ModelsKnown {
  readonly roster: Roster;
  readonly models: readonly ModelView[];
  /** Null where the database doesn't answer. */
  readonly versions: readonly (typeof models.$inferSelect)[] | null;
}

/** @returns a refusal where forecasts of every market have no model. */
export function modelListBody({ roster, models: views, versions }: ModelsKnown): ModelListBody | ModelRefusal {
  const active = rolesFor(roster.roles, "forecast", EVERY_MARKET).active;
  const view = views.find(({ key }) => key === active?.key);
  if (active === null || view === undefined) return whyNobody(roster);
  const { fellBackFrom } = active;
  return {
    active: { ...modelBody(view), fellBackFrom: fellBackFrom && { fault: fellBackFrom.fault, detail: fellBackFrom.detail } },
    models: views.map(modelBody),
    roles: roster.roles.map(roleBody),
    refused: roster.refused.map(({ slot, market, role, key, id, version, fault, detail }) => ({
      slot,
      market,
      role,
      key,
      id,
      version,
      fault,
      detail,
    })),
    versions: versions === null ? null : versions.map(({ manifestSha256: _, ...version }) => version),
  };
}

/** Why forecasts of every market have no model. */
export function whyNobody({ refused }: Roster): ModelRefusal {
  const faulty = rolesFor(refused, "forecast", EVERY_MARKET).active;
  return faulty === null ? refuseModel("never-published", "no model is active for every market") : refuseModel(faulty.fault, faulty.detail);
}

export function modelBody({ key, manifest, source }: ModelView): Omit<ModelBody, "fellBackFrom"> {
  const { id, version, family, artifact, opset, featureSet, intervalMs, output, calibration, trainedOn, scores, scoredOn } = manifest;
  return {
    key,
    id,
    version,
    family,
    source,
    sha256: artifact.sha256,
    bytes: artifact.bytes,
    opset,
    featureSet: { ...featureSet, columns: [...featureSet.columns] },
    window: windowOf(manifest),
    intervalMs,
    answer: kindOf(output),
    outputs: output.unit === "bps" ? output.columns.map(({ target, horizonMs }) => ({ target, horizonMs })) : [],
    questions: output.unit === "probability" ? output.groups.map((group) => ({ ...group, labels: [...group.labels] })) : [],
    label: labelKindOf(manifest),
    calibration: calibration === undefined ? null : { ...calibration, outputs: calibration.outputs.length },
    trainedOn,
    scores: [...scores],
    classScores: [...(manifest.classScores ?? [])],
    scoredOn,
  };
}

function roleBody({ slot, market, role, key, id, version, source, fellBackFrom }: RosterRole): ModelListBody["roles"][number] {
  return { slot, market, role, key, id, version, source, fellBackFrom };
}
