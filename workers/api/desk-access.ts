/** How routes ask the desk: the market is looked up, the desk's refusals become problems, and what is said ages until it is answered. */

import { agedMoment } from "../forecasts/aged.ts";
import type { CallCount, DeskAnswer, DeskPorts, DeskQuestion, DeskRefusal } from "../forecasts/contract.ts";
import type { ForecastDesk } from "../forecasts/desk.ts";
import { deskPorts } from "../forecasts/desk-ports.ts";
import type { ModelSlot } from "../inference/contract.ts";
import { type AppContext, feedCarrying, Refused } from "./context.ts";
import { feedProblem, modelProblem, type Problem, problem, rowsProblem } from "./problems.ts";
import { type ForecastSaid, forecastBody } from "./views/forecast.ts";

/** @throws Refused where no feed carries the market. */
export async function questionOf(context: AppContext, slot: ModelSlot, market: string): Promise<DeskQuestion> {
  const { feed, object } = await feedCarrying(context, market);
  return { slot, market, feed: { feed, object } };
}

export function portsOf(context: AppContext, count?: CallCount): DeskPorts {
  return deskPorts(context.env, (work) => keepAlive(context, work), count);
}

/** @throws Refused, FeedUnreachable, InferenceUnreachable */
export async function askDesk(desk: ForecastDesk, question: DeskQuestion, ports: DeskPorts): Promise<DeskAnswer> {
  const result = await desk.answer(question, ports);
  if (!result.ok) throw new Refused(deskProblem(result));
  const now = ports.now();
  return { ...result, moment: agedMoment(result, now), heardAt: now };
}

export function deskProblem(refused: DeskRefusal): Problem {
  if (refused.by === "feed") return feedProblem(refused.refusal);
  return refused.by === "rows" ? rowsProblem(refused.refusal) : modelProblem(refused.refusal);
}

/** @throws Refused where the horizon isn't the model's, or its time has passed. */
export function requireForecast(
  answer: DeskAnswer,
  horizonMs: number | null,
): Extract<ReturnType<typeof forecastBody>, { forecast: unknown }>["forecast"] {
  const said = forecastBody(forecastSaid(answer), horizonMs);
  if ("available" in said) {
    const { available } = said;
    throw new Refused(problem("unknown-horizon", `No horizon of ${horizonMs} ms: the model has ${available.join(", ")}.`, { available }));
  }
  if ("expired" in said) throw new Refused(expiredProblem(answer.moment.rowAgeMs, said.expired));
  return said.forecast;
}

export function expiredProblem(rowAgeMs: number, expired: readonly number[]): Problem {
  const detail = `The newest features are ${rowAgeMs} ms old, and the forecast is for ${expired.join(", ")} ms after them.`;
  return problem("row-too-old", detail, { rowAgeMs, expired });
}

function forecastSaid({ prediction, ...answer }: DeskAnswer): ForecastSaid {
  if (prediction.kind !== "moves")
    throw new Error(`${prediction.modelId} ${prediction.version} was asked for moves, and answered ${prediction.kind}`);
  return { ...answer, prediction };
}

/** Tests call the app without a platform around it. */
function keepAlive(context: AppContext, work: Promise<unknown>): void {
  try {
    context.executionCtx.waitUntil(work);
  } catch {
    void work.catch(() => undefined);
  }
}
