/**
 * What the inference Worker answers, with the stores and the time as arguments: main.ts gives it those.
 *
 * A call's asks are sorted by the models that answer them, and each model runs once for all of its rows. Shadows have a call of their own. Where a model turns out faulty only when it is
 * to be loaded, the roster is told, and forecasts that it led are answered by whoever stands in.
 */

import type { Cast } from "./cast.ts";
import type {
  ModelRefusal,
  ModelView,
  PredictAnswer,
  PredictAsk,
  Predicted,
  Prediction,
  Roster,
  RosterRole,
  Shadowed,
} from "./contract.ts";
import type { ModelRoster, RosterSurroundings } from "./model-roster.ts";
import type { ModelStore } from "./model-store.ts";
import { judgeAnswer, predictionOf } from "./prediction.ts";
import { refuseModel } from "./refuse.ts";
import { rolesFor } from "./roles-for.ts";
import { windowOfRows } from "./window-of-rows.ts";

/** Every market of a large instance in both slots, many times over; a bound so that one call costs little. */
export const MAX_ASKS = 1_000;

/** One model's part in one ask. */
interface Part {
  readonly ask: PredictAsk;
  readonly role: RosterRole;
  answer: Prediction | ModelRefusal;
}

interface Plan {
  readonly ask: PredictAsk;
  /** Null: nobody is active there. */
  active: Part | null;
}

const UNANSWERED = refuseModel("bad-output", "it was not run");

export class InferenceAnswers {
  private readonly store: ModelStore;
  private readonly casting: ModelRoster;

  constructor(store: ModelStore, roster: ModelRoster) {
    this.store = store;
    this.casting = roster;
  }

  async roster(around: RosterSurroundings): Promise<Roster> {
    return (await this.casting.current(around)).roster;
  }

  async models(around: RosterSurroundings): Promise<readonly ModelView[]> {
    return [...(await this.casting.current(around)).views.values()];
  }

  async predict(asks: readonly PredictAsk[], around: RosterSurroundings): Promise<Predicted> {
    const before = await this.casting.known(around);
    const plans = asks.slice(0, MAX_ASKS).map((ask) => planOf(ask, before));
    const faulty = await this.run(
      plans.flatMap(({ active }) => active ?? []),
      before,
      around,
    );
    const cast = await this.withoutFaulty(faulty, before, around);
    await this.run(recast(plans, cast, faulty), cast, around);
    const answers = plans.map((plan) => answerOf(plan, cast));
    return { revision: cast.roster.revision, answers: [...answers, ...asks.slice(MAX_ASKS).map(() => tooMany(asks.length))] };
  }

  /** Nobody stands in for one that is faulty. More asks than MAX_ASKS have none. */
  async shadows(asks: readonly PredictAsk[], around: RosterSurroundings): Promise<Shadowed> {
    const before = await this.casting.knownWhole(around);
    const ofAsks = asks.map((ask, at) => (at < MAX_ASKS ? shadowsOf(ask, before) : []));
    const faulty = await this.run(ofAsks.flat(), before, around);
    const { roster } = await this.withoutFaulty(faulty, before, around);
    const answers = ofAsks.map((parts) => parts.map(({ role, answer }) => ({ key: role.key, id: role.id, version: role.version, answer })));
    return { revision: roster.revision, answers };
  }

  private async withoutFaulty(faulty: ReadonlyMap<number, ModelRefusal>, before: Cast, around: RosterSurroundings): Promise<Cast> {
    let cast = before;
    for (const [key, refusal] of faulty) {
      const version = before.versions.get(key);
      if (version !== undefined) cast = await this.casting.refuse(version, refusal, around);
    }
    return cast;
  }

  /** Answers each part, by one run a model. @returns models that couldn't be loaded, by their keys */
  private async run(parts: readonly Part[], cast: Cast, around: RosterSurroundings): Promise<ReadonlyMap<number, ModelRefusal>> {
    const faulty = new Map<number, ModelRefusal>();
    await Promise.all(
      [...byModel(parts)].map(async ([key, ofModel]) => {
        const refusal = await this.runModel(ofModel, cast, around);
        if (refusal !== null) faulty.set(key, refusal);
      }),
    );
    return faulty;
  }

  private async runModel(parts: readonly Part[], cast: Cast, around: RosterSurroundings): Promise<ModelRefusal | null> {
    const key = parts[0]?.role.key ?? -1;
    const version = cast.versions.get(key);
    const claims = cast.views.get(key)?.manifest;
    if (version === undefined || claims === undefined) throw new Error(`model ${key} plays a role, and is not known`);
    const fed: { part: Part; window: Float64Array }[] = [];
    for (const part of parts) {
      const window = judgeAnswer(claims, part.ask.slot) ?? windowOfRows(claims, part.ask.sets);
      if ("ok" in window) part.answer = window;
      else fed.push({ part, window });
    }
    if (fed.length === 0) return null;
    return this.store.use(version, around, async (model) => {
      const answers = "ok" in model ? null : await model.answerEach(fed.map(({ window }) => window));
      for (const [index, { part }] of fed.entries()) {
        const values = answers?.[index] ?? (model as ModelRefusal);
        part.answer = "ok" in values ? values : predictionOf(claims, part.role, values);
      }
      return "ok" in model ? model : null;
    });
  }
}

function planOf(ask: PredictAsk, { roster }: Cast): Plan {
  const { active } = rolesFor(roster.roles, ask.slot, ask.market);
  return { ask, active: active === null ? null : { ask, role: active, answer: UNANSWERED } };
}

function shadowsOf(ask: PredictAsk, { roster }: Cast): Part[] {
  return rolesFor(roster.roles, ask.slot, ask.market).shadows.map((role) => ({ ask, role, answer: UNANSWERED }));
}

function byModel(parts: readonly Part[]): ReadonlyMap<number, readonly Part[]> {
  const groups = new Map<number, Part[]>();
  for (const part of parts) {
    const group = groups.get(part.role.key);
    if (group === undefined) groups.set(part.role.key, [part]);
    else group.push(part);
  }
  return groups;
}

/** New parts for the asks that a faulty model led. Its rows may not be among those given: then the refusal says which are wanted now. */
function recast(plans: readonly Plan[], cast: Cast, faulty: ReadonlyMap<number, ModelRefusal>): Part[] {
  const parts: Part[] = [];
  for (const plan of plans) {
    if (plan.active === null || !faulty.has(plan.active.role.key)) continue;
    const { active } = rolesFor(cast.roster.roles, plan.ask.slot, plan.ask.market);
    // Nobody stands in: what it was refused for is the answer.
    if (active === null || active.key === plan.active.role.key) continue;
    plan.active = { ask: plan.ask, role: active, answer: UNANSWERED };
    parts.push(plan.active);
  }
  return parts;
}

function answerOf({ ask, active }: Plan, { roster }: Cast): PredictAnswer {
  return { active: active?.answer ?? refusalOf(ask, roster) };
}

/** Why nobody is active there. */
function refusalOf({ slot, market }: PredictAsk, { refused }: Roster): ModelRefusal {
  const { active } = rolesFor(refused, slot, market);
  return active === null
    ? refuseModel("never-published", `no model of ${slot}s is active for ${market}`)
    : refuseModel(active.fault, `${active.id} ${active.version}: ${active.detail}`);
}

function tooMany(asks: number): PredictAnswer {
  return { active: refuseModel("too-large", `${asks} asks at once: at most ${MAX_ASKS}`) };
}
