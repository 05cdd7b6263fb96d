/**
 * One line of a file that a recorder beside a venue's socket has written. Our own tapes are another thing (tape.ts).
 *
 * Two forms, both told by the line itself:
 * - `<received ns> <frame>`, with the answers to snapshot requests among the frames, as bare bodies;
 * - cryptofeed's: `<received s>: <frame>`, `<url> <-> <s>` for a connection opened, `<url> <- <s>: <text>` for what the client sent, and, in a file of
 *   its own, `<url> -> <s>: <body>` for an answer to a request; `configuration: …` is the recorder's note to itself.
 *
 * Receive times are epoch ms, with a fraction as fine as the file has it: floor them for a record. What is in no form is malformed, with a reason.
 */

export type RecordedLine =
  | { readonly kind: "frame"; readonly receivedAt: number; readonly text: string }
  /** `url` is null where the file doesn't say what was asked. */
  | { readonly kind: "answer"; readonly receivedAt: number; readonly url: string | null; readonly body: string }
  | { readonly kind: "opened"; readonly receivedAt: number; readonly url: string }
  /** What the client sent, or noted: never received. */
  | { readonly kind: "own" };

const NANOSECONDS = /^(\d{10,14})(\d{6}) /;
const SECONDS = /^(\d{1,12})(?:\.(\d*))?: /;
const OF_A_SOCKET = /^(wss?:\/\/\S*) (<->|<-) (\d{1,12})(?:\.(\d*))?/;
const OF_A_REQUEST = /^(https?:\/\/\S*) -> (\d{1,12})(?:\.(\d*))?: /;
const OWN = /^configuration: /;
/** A body with a last update id and no envelope or event type: the answer to a snapshot request. */
const BARE_ANSWER = /^\{"lastUpdateId":\d/;
const SHOWN_CHARACTERS = 60;

/** @param line without its line feed. */
export function decodeRecordedLine(line: string): RecordedLine | { malformed: string } {
  const nanoseconds = NANOSECONDS.exec(line);
  if (nanoseconds !== null) {
    const receivedAt = Number(`${nanoseconds[1]}.${nanoseconds[2]}`);
    const text = line.slice(nanoseconds[0].length);
    return BARE_ANSWER.test(text) ? { kind: "answer", receivedAt, url: null, body: text } : { kind: "frame", receivedAt, text };
  }
  const seconds = SECONDS.exec(line);
  if (seconds !== null) return { kind: "frame", receivedAt: msOf(seconds[1], seconds[2]), text: line.slice(seconds[0].length) };
  return decodeLineOfClient(line);
}

function decodeLineOfClient(line: string): RecordedLine | { malformed: string } {
  const [answered, answerUrl, answerWhole, answerFraction] = OF_A_REQUEST.exec(line) ?? [];
  if (answered !== undefined && answerUrl !== undefined)
    return { kind: "answer", receivedAt: msOf(answerWhole, answerFraction), url: answerUrl, body: line.slice(answered.length) };
  const [, url, arrow, whole, fraction] = OF_A_SOCKET.exec(line) ?? [];
  if (url !== undefined && arrow === "<->") return { kind: "opened", receivedAt: msOf(whole, fraction), url };
  if (url !== undefined || OWN.test(line)) return { kind: "own" };
  return { malformed: `not a line of a recording: ${line.slice(0, SHOWN_CHARACTERS)}` };
}

/** By the digits: seconds times 1,000 may fall a little short of a whole millisecond. */
function msOf(seconds = "0", fraction = ""): number {
  const digits = fraction.padEnd(3, "0");
  return Number(`${seconds}${digits.slice(0, 3)}.${digits.slice(3)}`);
}
