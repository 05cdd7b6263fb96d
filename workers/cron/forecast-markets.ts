/**
 * A forecast of each market once a minute, for the ledger: what models are worth must not hang on who looked, and when. It is computed as everybody's are (the desk), and
 * recorded once, whoever asked in the same second.
 *
 * Nothing here may hold up what records: a market that can't be forecast is counted, a failure is logged, and what takes too long is left to itself. With more markets
 * than a run may ask for, each minute goes on where the last one ended; what nobody leads is no question.
 */

import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { FeedConfiguration } from "../../feed/configuration.ts";
import { MODEL_SLOTS } from "../../models/roles.ts";
import type { PublicEnv } from "../env.ts";
import { marketsOfFeed } from "../feed-directory.ts";
import type { DeskPorts, DeskQuestion } from "../forecasts/contract.ts";
import { ForecastDesk } from "../forecasts/desk.ts";
import { deskPorts } from "../forecasts/desk-ports.ts";
import { inTurn } from "../forecasts/in-turn.ts";
import type { RosterRole } from "../inference/contract.ts";
import { rolesFor } from "../inference/roles-for.ts";
import { logError, logEvent } from "../log.ts";

/** Questions on their way at once. */
const AT_ONCE = 50;
/** Beside one for the rows of each: rosters, predictions, and what the ledger takes. */
const SHARED_CALLS = 20;
/** A cold inference Worker takes a second; one that hangs isn't waited for. */
const PATIENCE_MS = 20_000;

export interface ForecastOptions {
  readonly startedAt: number;
  readonly calls: number;
}

interface Outcome {
  answered: number;
  refused: number;
  failed: number;
}

/** Never throws. @returns calls that were made. */
export async function forecastMarkets(env: PublicEnv, feeds: readonly FeedConfiguration[], options: ForecastOptions): Promise<number> {
  const { startedAt, calls } = options;
  const count = { calls: 0 };
  const work: Promise<unknown>[] = [];
  // Nobody reads the skill here.
  const ports: DeskPorts = { ...deskPorts(env, (each) => void work.push(each), count), skills: async (markets) => markets.map(() => []) };
  const most = Math.max(0, calls - SHARED_CALLS);
  const roles = await rolesNow(ports);
  const asked = questionsOf(feeds).filter(({ slot, market }) => rolesFor(roles, slot, market).active !== null);
  const questions = inTurn(asked, { most, turn: Math.floor(startedAt / MS_PER_MINUTE) });
  const outcome: Outcome = { answered: 0, refused: 0, failed: 0 };
  const done = askAll(questions, ports, outcome).then(() => allOf(work));
  const isDone = await Promise.race([done.then(() => true), ports.after(PATIENCE_MS).then(() => false)]);
  logEvent("markets-forecast", { ...outcome, questions: questions.length, calls: count.calls, isDone });
  return count.calls;
}

/** What was put off may put off more: shadows are asked, and then recorded. */
async function allOf(work: Promise<unknown>[]): Promise<void> {
  while (work.length > 0) await Promise.all(work.splice(0));
}

/** None where the inference Worker doesn't answer: it would answer no question either. */
async function rolesNow(ports: Pick<DeskPorts, "roster" | "after">): Promise<readonly RosterRole[]> {
  try {
    const roster = await Promise.race([ports.roster(), ports.after(PATIENCE_MS).then(() => null)]);
    if (roster === null) throw new Error(`no roster within ${PATIENCE_MS} ms`);
    return roster.roles;
  } catch (error) {
    logError("markets-not-forecast", error, {});
    return [];
  }
}

/** In both slots. */
function questionsOf(feeds: readonly FeedConfiguration[]): DeskQuestion[] {
  return feeds.flatMap((configuration) => {
    const { feed, object } = configuration;
    return marketsOfFeed(configuration).flatMap((market) => MODEL_SLOTS.map((slot) => ({ slot, market, feed: { feed, object } })));
  });
}

async function askAll(questions: readonly DeskQuestion[], ports: DeskPorts, outcome: Outcome): Promise<void> {
  const desk = new ForecastDesk();
  for (let from = 0; from < questions.length; from += AT_ONCE) {
    const portion = questions.slice(from, from + AT_ONCE);
    const results = await Promise.allSettled(portion.map((question) => desk.answer(question, ports)));
    for (const result of results) {
      if (result.status === "rejected") outcome.failed++;
      else if (result.value.ok) outcome.answered++;
      else outcome.refused++;
    }
    const failure = results.find((result) => result.status === "rejected");
    if (failure !== undefined) logError("market-not-forecast", failure.reason, { from, questions: portion.length });
  }
}
