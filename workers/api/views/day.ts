/** A day file as the API shows it. Pure. */

import { MS_PER_DAY, MS_PER_MINUTE, startOfDay } from "../../../core/units/time.ts";
import { countMinutes, missingMinutes } from "../../storage/day-sources.ts";
import type { DayRow } from "../../storage/days.ts";
import type { DayBody } from "../day-schemas.ts";

/** @param parts of the same day, this row among them. @param contradictedMs of what the row counts as covered, what the ledger takes back. */
export function dayBody(row: DayRow, { parts, contradictedMs }: { parts: readonly DayRow[]; contradictedMs: number }): DayBody {
  const { market, day, part, link, head, previous, chain, bytes, blocks, lines, textBytes, firstReceivedAt, lastReceivedAt, compactedAt } =
    row;
  const start = startOfDay(day) ?? 0;
  const missing = missingMinutes(parts.filter((other) => other.part <= part));
  const stretches: [number, number][] = [];
  for (let at = 0; at < missing.length; at += 2)
    stretches.push([start + (missing[at] ?? 0) * MS_PER_MINUTE, start + ((missing[at + 1] ?? 0) + 1) * MS_PER_MINUTE]);
  return {
    ...{ market, day, part, link, head, previous, chain, bytes, blocks, lines, textBytes, firstReceivedAt, lastReceivedAt },
    coverage: row.coveredMs === null ? null : Math.max(0, row.coveredMs - contradictedMs) / MS_PER_DAY,
    missingMinutes: countMinutes(missing),
    missing: stretches,
    compactedAt,
    url: `/v1/markets/${market}/days/${day}${part === 0 ? "" : `?part=${part}`}`,
  };
}
