/**
 * Minutes that a tape has lost. A feed that runs declares each market's grids at the head of every minute, however quiet the market is: a minute without a
 * single record, between two that have some, was recorded and is missing here, or nobody was there to record it. Either way what stands behind it doesn't
 * continue what stands before, and a book that nothing numbers would not show it. Whoever reads a tape has this put a hole in its place.
 *
 * It goes by receive times, never by the names of files: what storage refused for a while lies in an earlier minute's file. Behind the declaration the tape may
 * itself say that the books end (a restart, a connection that was opened or went down): then there is nothing to add. A tape that declares no grids, or only
 * at its beginning, is of another recorder, and is not judged. Minutes before the first and behind the last are nobody's loss.
 */

import { MS_PER_MINUTE, minuteOf } from "../units/time.ts";
import type { TapeRecord } from "./tape.ts";

export type HoleRecord = Extract<TapeRecord, { kind: "hole" }>;

const NONE: readonly HoleRecord[] = [];

/** Of one tape, record by record. */
export class LostMinutes {
  /** The greatest receive time so far; null before the first record. */
  private latest: number | null = null;
  /** Found, and not given out: of each market that has been declared behind the lost minutes. */
  private holes: HoleRecord[] = [];

  /** @returns the holes that stand before `record`; nearly always none. */
  before(record: TapeRecord): readonly HoleRecord[] {
    const given = this.givenBefore(record);
    if (record.kind === "instrument") this.declared(record);
    if (this.latest === null || record.receivedAt > this.latest) this.latest = record.receivedAt;
    return given;
  }

  /** @returns the holes that nothing came behind. */
  end(): readonly HoleRecord[] {
    const { holes } = this;
    this.holes = [];
    return holes;
  }

  private givenBefore(record: TapeRecord): readonly HoleRecord[] {
    if (this.holes.length === 0) return NONE;
    // Several markets' declarations stand together; a market's second one is the next minute's.
    if (record.kind === "instrument" && this.holes.every(({ symbol }) => symbol !== record.symbol)) return NONE;
    const holes = this.end();
    return endsBooks(record) ? NONE : holes;
  }

  private declared({ symbol, receivedAt }: Extract<TapeRecord, { kind: "instrument" }>): void {
    const known = this.holes[0];
    if (known !== undefined) this.holes.push({ ...known, symbol });
    else if (this.latest !== null && minuteOf(receivedAt) - minuteOf(this.latest) > MS_PER_MINUTE) {
      const first = minuteOf(this.latest) + MS_PER_MINUTE;
      this.holes.push({ kind: "hole", receivedAt, symbol, reason: lostMinutes(first, minuteOf(receivedAt)) });
    }
  }
}

function endsBooks({ kind }: TapeRecord): boolean {
  return kind === "hole" || kind === "open" || kind === "down";
}

/** "nothing is recorded of 2 minutes from 2026-01-05T10:24Z on" */
function lostMinutes(first: number, end: number): string {
  const count = (end - first) / MS_PER_MINUTE;
  return `nothing is recorded of ${count} minute${count === 1 ? "" : "s"} from ${new Date(first).toISOString().slice(0, 16)}Z on`;
}
