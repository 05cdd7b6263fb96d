/**
 * One forecast of one market: who answers, the rows that they need, their answers. Pure but for what it is given.
 *
 * The rows are chosen by a roster that may be a minute old. Where the inference Worker has another one by then, that one is asked for and everything is done once
 * more: a model that was activated just now gets its own rows. Once: rosters change at most each minute.
 */

import type { FeatureView, SetRows, WantedRows } from "../../feed/contract.ts";
import type { ModelRefusal, PredictAnswer, PredictAsk, Roster, RosterRole, RowSet } from "../inference/contract.ts";
import { type RolesOfMarket, rolesFor } from "../inference/roles-for.ts";
import type { DeskPorts, DeskQuestion, DeskRefusal } from "./contract.ts";

/** As many as the feed gives at once. */
const MAX_SETS = 4;

export interface ComputePorts extends Pick<DeskPorts, "now" | "features"> {
  roster(): Promise<Roster>;
  /** Another one than that of this revision, which is out of date. */
  newerRoster(outdated: string): Promise<Roster>;
  predict(ask: PredictAsk): Promise<{ readonly revision: string; readonly answer: PredictAnswer }>;
}

export interface Computed {
  readonly ok: true;
  readonly features: FeatureView;
  readonly active: RosterRole;
  readonly answer: PredictAnswer;
  /** What the shadows are to be asked, when the answer has gone; null where there are none, or the answer is that of before. */
  readonly shadowAsk: PredictAsk | null;
  /** Of the roster that answered. */
  readonly revision: string;
  /** Our clock when the feed had answered. */
  readonly heardAt: number;
}

/** What was computed, without the rows: many are kept. */
export type ComputedBefore = Pick<Computed, "answer" | "revision"> & {
  readonly features: Pick<FeatureView, "featureTime" | "bidTicks" | "askTicks">;
};

/** @param before where the market has no newer row, its answer is right still, and nothing is run. @throws FeedUnreachable, InferenceUnreachable */
export async function computeForecast(
  question: DeskQuestion,
  ports: ComputePorts,
  before: ComputedBefore | null = null,
): Promise<Computed | DeskRefusal> {
  const roster = await ports.roster();
  const first = await computeBy(roster, question, { ...ports, before });
  if ("ok" in first || first.revision === roster.revision) return "ok" in first ? first : first.computed;
  const second = await computeBy(await ports.newerRoster(roster.revision), question, ports);
  return "ok" in second ? second : second.computed;
}

/** Sets that the models of a market eat, the active one's first, and of each as many rows as the longest window. */
export function wantedRows({ active, shadows }: RolesOfMarket<Pick<RosterRole, "fingerprint" | "window">>): WantedRows[] {
  const rows = new Map<string, number>();
  for (const { fingerprint, window } of active === null ? shadows : [active, ...shadows])
    rows.set(fingerprint, Math.max(window, rows.get(fingerprint) ?? 0));
  return [...rows].slice(0, MAX_SETS).map(([fingerprint, count]) => ({ fingerprint, rows: count }));
}

async function computeBy(
  roster: Roster,
  question: DeskQuestion,
  ports: ComputePorts & { readonly before?: ComputedBefore | null },
): Promise<DeskRefusal | { readonly revision: string; readonly computed: Computed }> {
  const { slot, market } = question;
  const roles = rolesFor(roster.roles, slot, market);
  const { active } = roles;
  if (active === null) return { ok: false, by: "model", refusal: whyNobody(roster, question) };
  const features = await ports.features(question, wantedRows(roles));
  const heardAt = ports.now();
  if (!features.ok) return { ok: false, by: "feed", refusal: features };
  const own = features.sets.find(({ fingerprint }) => fingerprint === active.fingerprint);
  if (own === undefined) throw new Error(`the feed said nothing of the rows ${active.fingerprint} that it was asked for`);
  if ("refusal" in own) return { ok: false, by: "rows", refusal: own.refusal };
  const { before } = ports;
  const isKnown = before?.answer.active.ok && before.revision === roster.revision && isSameRow(before.features, features);
  const ask: PredictAsk = { market, slot, sets: features.sets.flatMap(rowSet) };
  const { revision, answer } = isKnown ? before : await ports.predict(ask);
  const shadowAsk = isKnown || roles.shadows.length === 0 ? null : ask;
  return { revision, computed: { ok: true, features, active, answer, shadowAsk, revision, heardAt } };
}

function isSameRow(one: ComputedBefore["features"], other: ComputedBefore["features"]): boolean {
  return one.featureTime === other.featureTime && one.bidTicks === other.bidTicks && one.askTicks === other.askTicks;
}

function whyNobody({ refused }: Roster, { slot, market }: DeskQuestion): ModelRefusal {
  const { active } = rolesFor(refused, slot, market);
  if (active === null) return { ok: false, fault: "never-published", detail: `No model of ${slot}s is active for ${market}.` };
  return { ok: false, fault: active.fault, detail: `${active.id} ${active.version}: ${active.detail}` };
}

/** A shadow without its rows is asked all the same, and refused by the inference Worker. */
function rowSet(set: SetRows): RowSet[] {
  return "refusal" in set ? [] : [set];
}
