/**
 * Runs by the thousand, from one seed: a pool of sessions, a plan for each run, and, when one fails, the smallest plan that still does.
 */

import { Draws } from "./draws.ts";
import { type Fault, type FaultKind, newTally, type Plan, RunFailure, run, type Tally } from "./run.ts";
import { createSession, SESSION_STEPS, type Session } from "./sessions.ts";
import type { FuzzVenue } from "./venues.ts";

/** Sessions that all runs of a venue draw from: making one takes as long as running it. */
const POOLED_SESSIONS = 100;
/** The last steps are as the venue sent them, so that a hole before them shows. */
const WHOLE_STEPS = 2;
const KINDS: readonly FaultKind[] = [
  "characters",
  "characters",
  "characters",
  "values",
  "values",
  "values",
  "values",
  "same",
  "drop",
  "duplicate",
  "late",
  "stranger",
];
/** Out of ten steps: runs with one fault show what it does, runs with many how faults meet. */
const FAULTS_OF_TEN = [1, 5, 9, 10] as const;

export interface FuzzOptions {
  readonly seed: number;
  /** At least so many frames and answers changed, given to a feed or only read. */
  readonly changes: number;
}

/** @throws with the smallest plan found when a run fails. */
export function fuzz(venue: FuzzVenue, { seed, changes }: FuzzOptions): Tally {
  const draws = new Draws(seed);
  const sessions = Array.from({ length: POOLED_SESSIONS }, () => createSession(venue.writer, venue.instruments, draws));
  const tally = newTally();
  const { stackTraceLimit } = Error;
  // Every second text is refused by an exception inside a reader: making its stack would take a third of the time.
  Error.stackTraceLimit = 0;
  try {
    while (tally.faults + tally.probed < changes) {
      const session = draws.pick(sessions);
      const plan = planOf(draws);
      const failure = failureOf(venue, session, { plan, tally });
      Error.stackTraceLimit = failure === null ? 0 : stackTraceLimit;
      if (failure !== null) throw new Error(reportOf(venue, session, { plan, seed }));
    }
    return tally;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function planOf(draws: Draws): Plan {
  const share = draws.pick(FAULTS_OF_TEN);
  const isSame = draws.oneIn(16);
  const faults: Fault[] = [];
  for (let step = 0; step < SESSION_STEPS - WHOLE_STEPS; step++) {
    if (draws.below(10) >= share) continue;
    faults.push({ step, kind: isSame ? "same" : draws.pick(KINDS), seed: draws.next() });
  }
  return { faults, intervalMs: draws.pick([40, 400, 2_100]), answersSeed: isSame || draws.oneIn(2) ? 0 : draws.next() };
}

/** Null when the run holds. Whatever else is thrown was thrown by what is tested. */
function failureOf(venue: FuzzVenue, session: Session, { plan, tally }: { plan: Plan; tally: Tally }): string | null {
  try {
    run(venue, session, { plan, tally });
    return null;
  } catch (error) {
    if (error instanceof RunFailure) return error.message;
    return `thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

function reportOf(venue: FuzzVenue, session: Session, { plan, seed }: { plan: Plan; seed: number }): string {
  const smallest = shrunk(venue, session, plan);
  const failure = failureOf(venue, session, { plan: smallest, tally: newTally() }) ?? "";
  const faults = smallest.faults.map(({ step, kind, seed: how }) => `    step ${step}: ${kind} (${how})`).join("\n");
  const answers = smallest.answersSeed === 0 ? "" : `\n  answers changed by seed ${smallest.answersSeed}`;
  return `${venue.adapter.venue}, seed ${seed}, ${smallest.intervalMs} ms between frames: ${failure}\n  after\n${faults}${answers}`;
}

/** Faults are left out one by one, as long as the run still fails. */
function shrunk(venue: FuzzVenue, session: Session, plan: Plan): Plan {
  const fails = (candidate: Plan) => failureOf(venue, session, { plan: candidate, tally: newTally() }) !== null;
  let smallest = plan;
  const withoutAnswers = { ...plan, answersSeed: 0 };
  if (plan.answersSeed !== 0 && fails(withoutAnswers)) smallest = withoutAnswers;
  for (const fault of plan.faults) {
    const candidate = { ...smallest, faults: smallest.faults.filter((each) => each !== fault) };
    if (fails(candidate)) smallest = candidate;
  }
  return smallest;
}
