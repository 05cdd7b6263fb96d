/**
 * Who plays which role now: read from D1 at most once a minute, each model judged before it is said to play.
 *
 * Of the active models the file itself is judged, up to as many as fit into memory at once; of shadows and the others the manifest, and the file when it
 * is first asked. Shadows' manifests are read when somebody asks who they are: a prediction doesn't need them, and a cold isolate's first one least. What was judged well stays so as long as its manifest is the same: neither a database nor a bucket that fails takes a role away. What
 * was refused is judged again a minute later.
 */

import { openDatabase } from "../storage/database.ts";
import { readRoles, type StoredRole } from "../storage/read-roles.ts";
import { type AssignedRole, type Cast, castRoles, type Findings, type Judgement, needsShipped } from "./cast.ts";
import type { ModelClaims, ModelRefusal } from "./contract.ts";
import { readClaims } from "./model-files.ts";
import { MAX_MODELS, type ModelStore, type Surroundings } from "./model-store.ts";
import { SharedLook } from "./shared-look.ts";
import { claimsOf, nameOf, type PublishedVersion, SHIPPED_VERSION } from "./version.ts";

export interface RosterSurroundings extends Surroundings {
  readonly database: D1Database;
  /** Keeps the request alive until this is done. */
  untilDone(work: Promise<unknown>): void;
}

/** A look that another one began may be of the active models alone; the next is ours, or a whole one. */
const LOOKS_FOR_WHOLE = 3;

export class ModelRoster {
  private readonly store: ModelStore;
  private readonly look = new SharedLook<Cast>();

  constructor(store: ModelStore) {
    this.store = store;
  }

  /** Everybody. Never throws for what lies in the stores, nor for stores that fail. */
  async current(around: RosterSurroundings): Promise<Cast> {
    return this.whole(around, await this.look.at(around.now, (before) => this.lookAgain(around, { before, isWhole: true })));
  }

  /** Everybody, by what is known already, where it is known. Never throws. */
  async knownWhole(around: RosterSurroundings): Promise<Cast> {
    return this.whole(around, await this.known(around));
  }

  private async whole(around: RosterSurroundings, known: Cast): Promise<Cast> {
    let cast = known;
    for (let look = 0; look < LOOKS_FOR_WHOLE && !cast.isWhole; look++)
      cast = await this.look.again(around.now, (before) => this.lookAgain(around, { before, isWhole: true }));
    return cast;
  }

  /** The active models, and of the shadows those that somebody has asked for; what is known already, where it is known: whoever wants an answer waits for no database. Never throws. */
  async known(around: RosterSurroundings): Promise<Cast> {
    const find = (before: Cast | null): Promise<Cast> => this.lookAgain(around, { before, isWhole: false });
    return this.look.known(around.now, { find, untilDone: (work) => around.untilDone(work) });
  }

  /** A model that plays was refused when it was to be loaded: whoever stands in for it does so from now on. */
  async refuse(version: PublishedVersion, refusal: ModelRefusal, around: RosterSurroundings): Promise<Cast> {
    const shipped = await this.judgeShipped(around);
    this.look.amend(({ findings }) => {
      const judged = new Map(findings.judged).set(nameOf(version), { outcome: refusal, isLoaded: true });
      return castRoles({ ...findings, judged, shipped });
    });
    return this.known(around);
  }

  private async lookAgain(around: RosterSurroundings, { before, isWhole }: { before: Cast | null; isWhole: boolean }): Promise<Cast> {
    const cast = castRoles(await this.find(around, { before: before?.findings ?? null, isWhole }));
    this.store.keepOnly(new Set([...cast.versions.values(), ...(cast.findings.assigned ?? []).map(({ version }) => version)].map(nameOf)));
    return cast;
  }

  private async find(around: RosterSurroundings, { before, isWhole }: { before: Findings | null; isWhole: boolean }): Promise<Findings> {
    const { assigned, unreachable } = await readAssigned(around.database, before);
    const wanted = (assigned ?? []).filter(({ role, version }) => isWhole || role === "active" || before?.judged.has(nameOf(version)));
    const versions = new Map(wanted.map(({ version }) => [nameOf(version), version]));
    const loading = new Set(leadsOf(assigned ?? []).map(nameOf));
    const judged = new Map(
      await Promise.all(
        [...versions].map(async ([name, version]): Promise<[string, Judgement]> => {
          const known = before?.judged.get(name) ?? null;
          return [name, await this.judge(version, around, { known, mustLoad: loading.has(name) })];
        }),
      ),
    );
    const found = { assigned, unreachable, judged, shipped: null };
    return needsShipped(found) ? { ...found, shipped: await this.judgeShipped(around) } : found;
  }

  private async judge(
    version: PublishedVersion,
    around: Surroundings,
    how: { known: Judgement | null; mustLoad: boolean },
  ): Promise<Judgement> {
    const { known, mustLoad } = how;
    const wasRefused = known !== null && "ok" in known.outcome;
    if (known !== null && !wasRefused && (known.isLoaded || !mustLoad)) return known;
    const isLoaded = mustLoad || (wasRefused && known.isLoaded);
    return { outcome: await (isLoaded ? this.loadClaims(version, around) : readClaims(around.bucket, version)), isLoaded };
  }

  private judgeShipped(around: Surroundings): Promise<ModelClaims | ModelRefusal> {
    return this.loadClaims(SHIPPED_VERSION, around);
  }

  private loadClaims(version: PublishedVersion, around: Surroundings): Promise<ModelClaims | ModelRefusal> {
    return this.store.use(version, around, (model) => ("ok" in model ? model : claimsOf(model.manifest)));
  }
}

/** Whose files are judged at once: active models in the order in which they were given their roles, as many as memory holds. */
function leadsOf(assigned: readonly AssignedRole[]): PublishedVersion[] {
  return assigned
    .filter(({ role }) => role === "active")
    .slice(0, MAX_MODELS)
    .map(({ version }) => version);
}

async function readAssigned(database: D1Database, before: Findings | null): Promise<Pick<Findings, "assigned" | "unreachable">> {
  try {
    return { assigned: (await readRoles(openDatabase(database))).map(assignedRole), unreachable: "" };
  } catch (error) {
    // The store fails, not what was published: who plays goes on playing.
    if (before !== null && before.assigned !== null) return before;
    return { assigned: null, unreachable: `the database does not answer: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function assignedRole({ slot, market, role, model }: StoredRole): AssignedRole {
  const { key, id, version, manifestSha256, bytes } = model;
  return { slot, market, role, version: { key, id, version, manifestSha256, bytes } };
}
