/**
 * The log of what was published and of who played which role: a row a change, with why. Rolling back reads it backwards: who was active before is what the
 * newest change said it replaced, which may be nobody; changes that were rolled back are passed over.
 */

import type { Seat, VersionName } from "./held-roles.ts";
import type { Row } from "./instance-store.ts";
import { type Sql, sql } from "./sql.ts";

export type LogAction = "publish" | "activate" | "deactivate" | "roll-back" | "shadow" | "unshadow" | "promote";

export interface LogEntry {
  readonly sequence: number;
  readonly at: number;
  readonly action: LogAction;
  readonly slot: string | null;
  readonly market: string | null;
  /** Of a change of who is active: null where nobody is any more. */
  readonly model: VersionName | null;
  readonly previous: VersionName | null;
  readonly evidence: unknown;
}

/** Why, in JSON; null where nothing is to be said. */
export type Evidence = Readonly<Record<string, unknown>> | null;

/** In the evidence of an activation: it ended its model's shadow role. */
export const WAS_SHADOW = "wasShadow";

/** A change of who is active at one seat, as the log has it. */
export interface ActiveChange {
  readonly action: string;
  readonly previous: number | null;
  /** Who was activated had been a shadow there until then. */
  readonly wasShadow: boolean;
}

/**
 * The log read backwards: each roll-back passes over one change before it.
 * @returns the change that is to be undone next; null where there is none.
 */
export function undoneBy(newestFirst: readonly ActiveChange[]): ActiveChange | null {
  let undone = 0;
  for (const change of newestFirst) {
    if (change.action === "roll-back") undone++;
    else if (undone > 0) undone--;
    else return change;
  }
  return null;
}

/** What is to be written. */
interface Change {
  /** One more than the newest row's when the change was judged: where somebody else was faster it is taken, and the transaction fails. Null: whichever comes next. */
  readonly sequence: number | null;
  readonly action: LogAction;
  readonly seat: Seat | null;
  readonly model: number | Sql;
  readonly previous: number | null;
  readonly evidence: Evidence;
}

export function logged(at: number, { sequence, action, seat, model, previous, evidence }: Change): Sql {
  const text = evidence === null ? null : JSON.stringify(evidence);
  return sql`INSERT INTO model_log (sequence, at, action, slot, market, model, previous, evidence)
    VALUES (${sequence}, ${at}, ${action}, ${seat?.slot ?? null}, ${seat?.market ?? null}, ${model}, ${previous}, ${text})`;
}

/** A row of `action`, `previous` and `evidence`. */
export function changeOf({ action, previous, evidence }: Row): ActiveChange {
  return {
    action: String(action),
    previous: previous === null ? null : Number(previous),
    wasShadow: typeof evidence === "string" && saysShadow(readEvidence(evidence)),
  };
}

/** A row of the log, joined with the names of its two versions. */
export function entryOf(row: Row): LogEntry {
  const { sequence, at, action, slot, market, id, version, previousId, previousVersion, evidence } = row;
  const nameOf = (one: unknown, other: unknown): VersionName | null =>
    typeof one === "string" && typeof other === "string" ? { id: one, version: other } : null;
  return {
    sequence: Number(sequence),
    at: Number(at),
    action: action as LogAction,
    slot: typeof slot === "string" ? slot : null,
    market: typeof market === "string" ? market : null,
    model: nameOf(id, version),
    previous: nameOf(previousId, previousVersion),
    evidence: typeof evidence === "string" ? readEvidence(evidence) : null,
  };
}

/** Written by hand it may be anything. */
function saysShadow(evidence: unknown): boolean {
  return typeof evidence === "object" && evidence !== null && WAS_SHADOW in evidence && evidence[WAS_SHADOW] === true;
}

/** Written by hand it may be anything. */
function readEvidence(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
