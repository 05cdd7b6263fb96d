/**
 * A real market replayed through the edge gives, in the public scorecard, the offline score of the same models on the same rows: else scores that a simulated market vouches for would be
 * none of markets with locked books, silences and trades between the ticks. A StandX recording, told by the simulator as BitMEX tells a book; models trained on what was received
 * before. What is left out is StandX's own protocol, which nobody speaks here.
 */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { bitmex } from "../../exchange-simulator/protocols/bitmex/venue.ts";
import type {
  AnsweredTick,
  ImportedScores,
  PublishedModels,
  RecordingStretch,
  ScoresAsked,
  StretchFacts,
  TapedScores,
} from "../training/edge-day-contract.ts";
import { EdgeDay } from "./edge-day.ts";
import { fromNode, type ModelCard, modelCards, pairsOf, publishedModels, tellTape } from "./edge-day-scores.ts";
import { servedEvents } from "./served-events.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ASK_EVERY_MS = 10 * SECOND;
/** As the import counts a silence. */
const SILENCE_MS = 2 * SECOND;
/** What is asked last is not over, and then not scored before nobody can record an earlier one. */
const NOT_SCORED_YET_MS = 6 * MINUTE;
/** Answers are float32. */
const R2_TOLERANCE = 1e-6;
/**
 * BitMEX tells one change of the book in up to three messages (what goes, what changes, what comes), and order flow is summed over each book that is seen; it tells a trade up to 100 ms
 * later; and the feed begins a moment after the recording.
 */
const TOLD_IN_OTHER_STEPS = /^(ofi|signed_volume|trade_count|volume)_\d+s$|^seconds_since_gap$/;
/** Null where there is no recording. */
const stretch = JSON.parse(env.EDGE_DAY_STRETCH) as RecordingStretch | null;

let models: PublishedModels;
let facts: StretchFacts;
let day: EdgeDay;
let cards: readonly ModelCard[];
let ticks: readonly AnsweredTick[];
let silences: number;
let offline: TapedScores;
let imported: Readonly<Record<string, ImportedScores>>;

describe.skipIf(stretch === null)(
  `a recording ${stretch === null ? "(skipped where ../shared/data is absent)" : ""} through the edge`,
  () => {
    beforeAll(async () => {
      await applyD1Migrations(env.DB, env.MIGRATIONS);
      models = await publishedModels({ stretch });
      facts = await fromNode<StretchFacts>("stretch", { stretch });
      const source = await servedEvents(facts);
      day = new EdgeDay({ source, protocol: bitmex, symbol: "XBTUSD", features: ["v1"], silenceMs: SILENCE_MS });
      await day.live(Math.floor((facts.endTime - facts.startTime) / MINUTE) * MINUTE - MINUTE, { askEveryMs: ASK_EVERY_MS });
      await day.end();
      ({ cards, ticks } = await modelCards(day, facts.startTime));
      silences = await silencesInLedger();
      await tellTape(day, facts.startTime);
      const asked: ScoresAsked = { ticks, venue: "bitmex", stretch, silenceMs: SILENCE_MS };
      offline = await fromNode<TapedScores>("scores", asked);
      imported = await fromNode<Readonly<Record<string, ImportedScores>>>("imported-scores", asked);
      const refused = Object.fromEntries(day.refused);
      await fromNode("report", { facts, ticks: ticks.length, refused, silences, cards, offline: offline.scores, imported });
    }, 3_600_000);

    it("is scored up to its end, for the active model and its shadow", () => {
      expect(cards.map(({ model }) => model).sort()).toEqual([models.active, models.shadow].sort());
      for (const { scoredUpTo } of cards) expect(scoredUpTo).toBeGreaterThan(day.now - NOT_SCORED_YET_MS);
    });

    it("counts what evaluate counts on the recorded tape: each tick that was answered, and each outcome that a gap hides", () => {
      for (const { card, own } of pairsOf(cards, offline.scores)) {
        expect({ forecasts: card.forecasts, uncovered: card.uncovered }).toEqual({ forecasts: ticks.length, uncovered: own.uncovered });
        expect(own.rows).toBe(ticks.length);
        expect(card.moves.map(({ target, horizonMs, scored, uncovered }) => ({ target, horizonMs, scored, uncovered }))).toEqual(
          own.outputs.map(({ target, horizonMs, asked, rows }) => ({ target, horizonMs, scored: rows, uncovered: asked - rows })),
        );
      }
    });

    it("gives the skill that evaluate gives, by horizon and target", () => {
      for (const { card, own } of pairsOf(cards, offline.scores)) {
        expect(own.outputs).toHaveLength(12);
        for (const [at, { r2 }] of own.outputs.entries())
          expect(Math.abs((card.moves[at]?.r2 ?? Number.NaN) - (r2 ?? Number.NaN))).toBeLessThan(R2_TOLERANCE);
      }
    });

    it("is of models that say something: others would be scored alike whatever went wrong", () => {
      for (const { own } of pairsOf(cards, offline.scores))
        expect(Math.max(...own.outputs.map(({ r2 }) => Math.abs(r2 ?? 0)))).toBeGreaterThan(0.01);
    });

    it("has each silence in the ledger that the replay of the tape has, and they hide no tick on either side", () => {
      expect(silences).toBe(offline.gaps.silence);
      expect(silences).toBeGreaterThan((30 * (facts.endTime - facts.startTime)) / HOUR);
      for (const { own } of pairsOf(cards, offline.scores)) expect(own.rows).toBe(ticks.length);
    });

    it("is what came in the events that were played: the same rows, targets and features, but for what the protocol tells in other steps", () => {
      for (const own of Object.values(imported)) {
        expect({ onlyTaped: own.onlyTaped, onlyImported: own.onlyImported }).toEqual({ onlyTaped: 0, onlyImported: 0 });
        for (const { rows, equalTargets } of own.outputs) expect({ equalTargets }).toEqual({ equalTargets: rows });
        expect(Object.keys(own.differing).filter((column) => !TOLD_IN_OTHER_STEPS.test(column))).toEqual([]);
      }
    });
  },
);

async function silencesInLedger(): Promise<number> {
  let count = 0;
  let cursor = "";
  for (;;) {
    const response = await day.get(
      `/v1/markets/${day.market}/gaps?from=${facts.startTime}&to=${day.now}&limit=500${cursor === "" ? "" : `&cursor=${cursor}`}`,
    );
    if (!response.ok) throw new Error(await response.text());
    const { gaps, nextCursor }: { gaps: readonly { reason: string }[]; nextCursor: string | null } = await response.json();
    count += gaps.filter(({ reason }) => reason === "silence").length;
    if (nextCursor === null) return count;
    cursor = encodeURIComponent(nextCursor);
  }
}
