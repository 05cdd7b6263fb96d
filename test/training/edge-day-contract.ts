/** What test/workerd/edge-day.test.ts and its service in Node (edge-day-service.ts) tell each other. */

export interface PublishedModels {
  /** As the registry wrote them, in order. */
  readonly statements: readonly string[];
  /** Base64, by key. */
  readonly objects: Readonly<Record<string, string>>;
  readonly active: string;
  readonly shadow: string;
}

export interface ScoresAsked {
  /** Base64: gzip members, a tape of one market. */
  readonly tape: string;
  /** Grid times. */
  readonly ticks: readonly number[];
}

export interface OfflineScores {
  /** Of the ticks: those that the tape gives a row of. */
  readonly rows: number;
  /** Of these: without a target at any horizon. */
  readonly uncovered: number;
  readonly outputs: readonly { readonly target: string; readonly horizonMs: number; readonly rows: number; readonly r2: number | null }[];
}

/** By name, `id@version`. */
export type ScoresOfModels = Readonly<Record<string, OfflineScores>>;
