/** What test/workerd/edge-day.test.ts, edge-day-recording.test.ts and their service in Node (edge-day-service.ts) tell each other. */

import type { DecimalGrid } from "../../core/units/decimal.ts";

/** Of a folder of StandX files: what was received within so many hours. */
export interface RecordingStretch {
  readonly folder: string;
  /** Epoch ms. */
  readonly from: number;
  readonly hours: number;
}

/** Times are those of the stretch as it is played, which is moved. */
export interface StretchFacts {
  readonly market: string;
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
  readonly startTime: number;
  readonly endTime: number;
  readonly silences: number;
  readonly books: number;
  readonly trades: number;
}

export interface EventLines {
  /** Of market events, in their order; none: there are no more. */
  readonly lines: readonly string[];
}

/** What the models are trained on: null, a simulated market. */
export interface ModelsAsked {
  readonly stretch: RecordingStretch | null;
}

export interface PublishedModels {
  /** As the registry wrote them, in order. */
  readonly statements: readonly string[];
  /** Base64, by key. */
  readonly objects: Readonly<Record<string, string>>;
  readonly active: string;
  readonly shadow: string;
}

/** A day's is too long for one text. */
export interface TapePiece {
  readonly isFirst: boolean;
  /** Base64: gzip members, a tape of one market. */
  readonly bytes: string;
}

export interface AnsweredTick {
  /** Of the grid. */
  readonly time: number;
  /** Horizons that the answer left out, in ms: the row had outlived them when it was asked for. */
  readonly expired: readonly number[];
}

/** Of the tape that was told piece by piece before. */
export interface ScoresAsked {
  readonly ticks: readonly AnsweredTick[];
  readonly venue: string;
  readonly stretch: RecordingStretch | null;
  /** What the feed was told to count as a silence; null where nothing was. */
  readonly silenceMs: number | null;
}

export interface OfflineScores {
  /** Of the ticks: those that the tape gives a row of. */
  readonly rows: number;
  /** Of these: without a target at any horizon. */
  readonly uncovered: number;
  readonly outputs: readonly OfflineOutput[];
}

export interface OfflineOutput {
  readonly target: string;
  readonly horizonMs: number;
  /** Of the ticks: those that the tape gives a row of and that were answered for this horizon. */
  readonly asked: number;
  /** Of these: with a target. */
  readonly rows: number;
  readonly r2: number | null;
}

/** By name, `id@version`. */
export type ScoresOfModels = Readonly<Record<string, OfflineScores>>;

export interface TapedScores {
  readonly scores: ScoresOfModels;
  /** What the replay of the tape has in its ledger, by reason. */
  readonly gaps: Readonly<Record<string, number>>;
}

/** The same model on the same rows of two datasets: of the recorded tape, and of the events that were played, which no venue's protocol and no feed has seen. */
export interface ImportedOutput {
  readonly target: string;
  readonly horizonMs: number;
  /** Of the ticks: those that have a target in both. The import has none of a row within a silence, nor less than 5 s behind it, nor over one. */
  readonly rows: number;
  readonly tapedR2: number | null;
  readonly importedR2: number | null;
  /** Of the rows: those whose targets are equal. */
  readonly equalTargets: number;
}

export interface ImportedScores {
  /** Of the ticks: those that both have a row of, and those that only one has. */
  readonly rows: number;
  readonly onlyTaped: number;
  readonly onlyImported: number;
  /** Of the rows: those with each feature equal. */
  readonly equalRows: number;
  /** By column: in how many rows it differs. */
  readonly differing: Readonly<Record<string, number>>;
  readonly outputs: readonly ImportedOutput[];
}
