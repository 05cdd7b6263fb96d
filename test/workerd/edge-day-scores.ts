/** What a day at the edge (edge-day.ts) and its service in Node (../training/edge-day-service.ts) tell each other: the models that are served, the tape, the scores of both sides. */

import { env } from "cloudflare:workers";
import type { Scorecard } from "../../core/scoring/scorecard.ts";
import type {
  AnsweredTick,
  ModelsAsked,
  OfflineScores,
  PublishedModels,
  ScoresOfModels,
  TapePiece,
} from "../training/edge-day-contract.ts";
import type { EdgeDay } from "./edge-day.ts";

const MINUTE = 60_000;
/** Arguments of a call. */
const BYTES_AT_ONCE = 8_192;

export interface ModelCard {
  readonly model: string;
  readonly scoredUpTo: number;
  readonly cards: readonly Scorecard[];
}

/** Trained in Node, and published here. */
export async function publishedModels(asked: ModelsAsked): Promise<PublishedModels> {
  const models = await fromNode<PublishedModels>("models", asked);
  for (const [key, text] of Object.entries(models.objects)) await env.TAPES.put(key, bytesOf(text));
  await env.DB.batch(models.statements.map((statement) => env.DB.prepare(statement)));
  return models;
}

/** `ticks`: those that were answered, as far as all models are scored. */
export async function modelCards(day: EdgeDay, from: number): Promise<{ cards: readonly ModelCard[]; ticks: readonly AnsweredTick[] }> {
  const response = await day.get(`/v1/scorecards?market=${day.market}&from=${from}&to=${day.now}`);
  const { models: cards }: { models: readonly ModelCard[] } = await response.json();
  const scoredUpTo = Math.min(...cards.map((card) => card.scoredUpTo));
  return { cards, ticks: [...day.answered].map(([time, expired]) => ({ time, expired })).filter(({ time }) => time <= scoredUpTo) };
}

/** All minutes that are stored, as the API gives them out. */
export async function tellTape(day: EdgeDay, from: number): Promise<void> {
  let isFirst = true;
  for (let minute = Math.floor(from / MINUTE) * MINUTE; minute < day.now; minute += MINUTE) {
    const response = await day.get(`/v1/markets/${day.market}/tapes/${minute}`);
    if (response.status === 404) continue;
    await fromNode<null>("tape", { isFirst, bytes: base64Of(new Uint8Array(await response.arrayBuffer())) } satisfies TapePiece);
    isFirst = false;
  }
}

export function pairsOf(cards: readonly ModelCard[], offline: ScoresOfModels): { card: Scorecard; own: OfflineScores }[] {
  return cards.map(({ model, cards: [card] }) => {
    const own = offline[model];
    if (card === undefined || own === undefined) throw new Error(`${model} has no score`);
    return { card, own };
  });
}

export async function fromNode<Answer>(path: string, body: object | null): Promise<Answer> {
  const response = await env.EDGE_DAY.fetch(`https://edge-day.test/${path}`, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
}

function base64Of(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_AT_ONCE) pieces.push(String.fromCharCode(...bytes.subarray(at, at + BYTES_AT_ONCE)));
  return btoa(pieces.join(""));
}
