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
  const asked = new Set<Promise<void>>();
  const said: StreamEvent[] = [];
  const wakes: Wakes = { at: Number.POSITIVE_INFINITY, done: Promise.resolve() };
  let saidAt = ports.now();
  while (!options.isGone() && ports.now() < endsAt && count.calls < MAX_CALLS) {
    for (const each of followed) if (each.dueAt <= ports.now()) beginAsk(each, { ...options, asked, said });
    const next = Math.min(endsAt, saidAt + HEARTBEAT_MS, ...followed.map(({ dueAt }) => dueAt));
    await Promise.race([wakeAt(next, wakes, ports), ...asked]);
    for (const event of said.splice(0)) {
      saidAt = ports.now();
      yield event;
    }
    if (ports.now() - saidAt >= HEARTBEAT_MS) {
      saidAt = ports.now();
      yield { kind: "heartbeat" };
    }
  }
}

/** The timer that was set last; at Infinity when it has ended. */
interface Wakes {
  at: number;
  done: Promise<void>;
}

/** One timer serves many turns: each answer ends a turn, and a timer for each would be hundreds that wait in vain. It may end before the time that is wanted. */
function wakeAt(time: number, wakes: Wakes, { now, after }: StreamOptions["ports"]): Promise<void> {
  if (wakes.at <= time) return wakes.done;
  const done: Promise<void> = after(Math.max(1, time - now())).then(() => {
    // Told by its end, not by the clock: one that ends a little early would otherwise be waited for again and again, and nothing else would run.
    if (wakes.done === done) wakes.at = Number.POSITIVE_INFINITY;
  });
  wakes.at = time;
  wakes.done = done;
  return done;
}

/** A market that is being asked for isn't due: one whose feed hangs holds up itself alone. */
function beginAsk(followed: Followed, options: StreamOptions & { readonly asked: Set<Promise<void>>; readonly said: StreamEvent[] }): void {
  followed.dueAt = Number.POSITIVE_INFINITY;
  const done: Promise<void> = ask(followed, options).then((events) => {
    options.asked.delete(done);
    options.said.push(...events);
  });
  options.asked.add(done);
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
