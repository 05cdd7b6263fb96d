/** What a line of a tape tells of it: the frames and the answers to snapshot requests, with the symbols that those were of. */

import { decodeTapeLine } from "../../core/wire/tape.ts";
import type { SurveyedLine } from "./instrument-inference.ts";

export function tapedLine(line: string): SurveyedLine | null {
  const record = decodeTapeLine(line);
  if ("malformed" in record) return null;
  if (record.kind === "frame") return { payload: record.text, answerOf: null };
  return record.kind === "snapshot" ? { payload: record.body, answerOf: record.symbol } : null;
}
