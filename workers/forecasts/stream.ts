/**
 * Forecasts as they come, for one who listens: an event a market and grid time, and one whenever a market's refusal changes. Pure but for what it is given.
 *
 * A market is asked for when its next row is due. One that has none by then is asked for again ever more seldom, up to once a grid step, so that a quiet market
 * isn't asked more often than a busy one; the desk makes one question of those of all listeners.
 *
 * It ends by itself, after some minutes or when the request has made as many calls as it may: whoever listens comes again (server-sent events do so by themselves).
 */

import { FEATURE_INTERVAL_MS } from "../../core/features/contract.ts";
import type { CallCount, DeskPorts, DeskQuestion, DeskResult } from "./contract.ts";

export type StreamEvent =
  | { readonly kind: "answer"; readonly market: string; readonly result: DeskResult }
  /** What was thrown: the feed or the inference Worker doesn't answer. */
  | { readonly kind: "failure"; readonly market: string; readonly error: unknown }
  /** Nothing has happened for a while: the connection is alive. */
  | { readonly kind: "heartbeat" };

export interface StreamOptions {
  readonly ports: Pick<DeskPorts, "now" | "after">;
  /** The desk's. */
  answer(question: DeskQuestion): Promise<DeskResult>;
  /** Of this request. */
  readonly count: CallCount;
  isGone(): boolean;
}

/** Rows are written when the market speaks next, shortly after their grid time. */
const ROW_LATE_MS = 50;
const AGAIN_AFTER_MS = 250;
const HEARTBEAT_MS = 15_000;
/** Long enough that connecting again costs nothing, short enough that no limit of the platform on one request is near. */
export const STREAM_MS = 300_000;
/** Of the thousand that the platform allows one request. */
const MAX_CALLS = 800;

interface Followed {
  readonly question: DeskQuestion;
  /** featureTime of the last answer, or the text of the last refusal. */
  last: string | null;
  dueAt: number;
  againAfterMs: number;
}

export async function* streamForecasts(questions: readonly DeskQuestion[], options: StreamOptions): AsyncGenerator<StreamEvent, void> {
  const { ports, count } = options;
  const endsAt = ports.now() + STREAM_MS;
  const followed = questions.map((question): Followed => ({ question, last: null, dueAt: 0, againAfterMs: AGAIN_AFTER_MS }));
  let saidAt = ports.now();
  while (!options.isGone() && ports.now() < endsAt && count.calls < MAX_CALLS) {
    const due = followed.filter(({ dueAt }) => dueAt <= ports.now());
    for (const event of (await Promise.all(due.map((each) => ask(each, options)))).flat()) {
      saidAt = ports.now();
      yield event;
    }
    if (ports.now() - saidAt >= HEARTBEAT_MS) {
      saidAt = ports.now();
      yield { kind: "heartbeat" };
    }
    const next = Math.min(endsAt, saidAt + HEARTBEAT_MS, ...followed.map(({ dueAt }) => dueAt));
    await ports.after(Math.max(1, next - ports.now()));
  }
}

async function ask(followed: Followed, { ports, answer }: StreamOptions): Promise<StreamEvent[]> {
  const { question } = followed;
  const said = await answer(question).then(
    (result): StreamEvent => ({ kind: "answer", market: question.market, result }),
    (error: unknown): StreamEvent => ({ kind: "failure", market: question.market, error }),
  );
  const text = textOf(said);
  const isNew = text !== followed.last;
  followed.last = text;
  followed.againAfterMs = isNew ? AGAIN_AFTER_MS : Math.min(FEATURE_INTERVAL_MS, followed.againAfterMs * 2);
  followed.dueAt = ports.now() + waitMs(said, { isNew, againAfterMs: followed.againAfterMs, now: ports.now() });
  return isNew ? [said] : [];
}

function waitMs(said: StreamEvent, { isNew, againAfterMs, now }: { isNew: boolean; againAfterMs: number; now: number }): number {
  if (said.kind !== "answer" || !said.result.ok) return FEATURE_INTERVAL_MS;
  if (!isNew) return againAfterMs;
  const { moment, heardAt } = said.result;
  const age = moment.rowAgeMs + (now - heardAt);
  return Math.max(AGAIN_AFTER_MS, FEATURE_INTERVAL_MS - age + ROW_LATE_MS);
}

/** Equal where there is nothing new to say. */
function textOf(said: StreamEvent): string {
  if (said.kind === "heartbeat") return "";
  if (said.kind === "failure") return `failure ${said.error instanceof Error ? said.error.name : ""}`;
  const { result } = said;
  if (!result.ok) return `refusal ${"reason" in result.refusal ? result.refusal.reason : result.refusal.fault}`;
  return `answer ${result.moment.featureTime} ${result.prediction.key} ${result.prediction.sha256}`;
}
