/**
 * One block of a day file: tape lines into columns. What `encodeBlock` of core's block-codec.ts does, to the same bytes, but for learning templates,
 * which stays there.
 *
 * 1. `begin` gives room for the text, which the caller puts there.
 * 2. `takeLines` takes lines until one fits no template: the caller then tells a template by `learn`, or calls `leaveRaw`; and again.
 * 3. `finish` writes the block; it stands at `blockAt`.
 */

import { ByteWriter, newByteWriter } from "./bytes";
import { parseNumber } from "./fields";
import { writeSmallIntegers, writeIntegers, zigzag } from "./integers";
import { clearPile, enlarge, take } from "./memory";
import { newTable, Table } from "./template";
import { Tables, writeTables } from "./tables";
import { writeBytes } from "./texts";

const MOST_TEMPLATES: i32 = 64;
const RARE_ROWS: i32 = 6;
const RARE_BYTES: f64 = 4_096;
const LINE_FEED: i32 = 10;
const SPACE: i32 = 32;
const RAW: i32 = 0;
const FIRST_LINES: i32 = 1 << 12;
/** Behind the text: scans load that much more than they look at. */
const BEHIND: usize = 32;

/** One line: its template counted from 1 (0: raw), where it begins and ends, when it was received. */
@unmanaged
class Line {
  template: i32;
  from: usize;
  to: usize;
  receivedAt: i64;
}

let text: usize = 0;
let textEnd: usize = 0;
/** Where the next line begins; the line that waits ends at `lineEnd`, and begins behind its receive time at `lineStart`. */
let next: usize = 0;
let lineStart: usize = 0;
let lineEnd: usize = 0;
let receivedAt: i64 = 0;
const received = memory.data(16);
let lines: usize = 0;
let lineCount: i32 = 0;
let lineRoom: i32 = 0;
let tables: usize = 0;
let tableCount: i32 = 0;
/** Templates, the one used last first. */
let recent: usize = 0;
let source: usize = 0;
let out: ByteWriter = changetype<ByteWriter>(0);

/** @returns where the caller puts so many bytes of text. */
export function begin(textBytes: i32): usize {
  clearPile();
  text = take(usize(textBytes) + BEHIND);
  textEnd = text + usize(textBytes);
  memory.fill(textEnd, u8(LINE_FEED), BEHIND);
  next = text;
  lineCount = 0;
  lineRoom = FIRST_LINES;
  lines = take(usize(lineRoom) * offsetof<Line>());
  tableCount = 0;
  tables = take(usize(MOST_TEMPLATES) << 2);
  recent = take(usize(MOST_TEMPLATES) << 2);
  return text;
}

/** @returns whether a line waits for a template; if not, all are taken. */
export function takeLines(): bool {
  while (next < textEnd) {
    lineEnd = endOfLine(next);
    const start = parseNumber(next, received, received + 8);
    lineStart = start;
    receivedAt = load<i64>(received);
    const isTimed = start !== 0 && load<u8>(start) === SPACE && load<i32>(received + 8) === 0 && receivedAt >= 0;
    const template = isTimed ? fit() : RAW;
    if (template < 0) return true;
    note(template);
  }
  return false;
}

/** Where the line that waits begins, behind its receive time, and where it ends: places in the text. */
export function waitingFrom(): i32 {
  return i32(lineStart - text);
}

export function waitingTo(): i32 {
  return i32(lineEnd - text);
}

/** @returns where the caller puts a template of so many bytes. */
export function templateRoom(bytes: i32): usize {
  source = take(usize(bytes));
  return source;
}

/** Takes the line that waits by the template that stands in its room. @returns whether it fits; if not, the line is raw. */
export function learn(bytes: i32): bool {
  const table = newTable(source, usize(bytes));
  const fits = table.takeRow(lineStart, lineEnd);
  if (!fits) {
    note(RAW);
    return false;
  }
  store<usize>(tables + (usize(tableCount) << 2), changetype<usize>(table));
  memory.copy(recent + 4, recent, usize(tableCount) << 2);
  store<i32>(recent, tableCount);
  tableCount++;
  note(tableCount);
  return true;
}

/** No template is worth its bytes. */
export function leaveRaw(): void {
  note(RAW);
}

/** @returns how many bytes the block has. */
export function finish(): i32 {
  out = newByteWriter(usize(max(1 << 12, i32((textEnd - text) >> 3))));
  tableCount = dropRare();
  writeTables(out, writeLines());
  return i32(out.length);
}

export function blockAt(): usize {
  return out.at;
}

function endOfLine(from: usize): usize {
  const feeds = i8x16.splat(i8(LINE_FEED));
  let at = from;
  let found = 0;
  // Behind the text there are line feeds: the last of them, at the latest, is found.
  while ((found = i8x16.bitmask(i8x16.eq(v128.load(at), feeds))) === 0) at += 16;
  return min(at + usize(ctz(found)), textEnd);
}

/** @returns the template that took the line, counted from 1; -1 when it waits for one; RAW when there may be no more. */
function fit(): i32 {
  for (let place = 0; place < tableCount; place++) {
    const at = recent + (usize(place) << 2);
    const template = load<i32>(at);
    if (!tableAt(template).takeRow(lineStart, lineEnd)) continue;
    if (place > 0) {
      memory.copy(recent + 4, recent, usize(place) << 2);
      store<i32>(recent, template);
    }
    return template + 1;
  }
  return tableCount >= MOST_TEMPLATES ? RAW : -1;
}

function note(template: i32): void {
  if (lineCount === lineRoom) {
    lines = enlarge(lines, usize(lineRoom) * offsetof<Line>(), usize(lineRoom) * 2 * offsetof<Line>());
    lineRoom *= 2;
  }
  const line = lineAt(lineCount++);
  line.template = template;
  line.from = next;
  line.to = lineEnd;
  line.receivedAt = receivedAt;
  next = lineEnd + 1;
}

// @ts-ignore: decorator
@inline
function lineAt(index: i32): Line {
  return changetype<Line>(lines + usize(index) * offsetof<Line>());
}

// @ts-ignore: decorator
@inline
function tableAt(index: i32): Table {
  return changetype<Table>(load<usize>(tables + (usize(index) << 2)));
}

/** Lines of templates that are not worth their bytes go back to raw. @returns how many templates stay, in their order. */
function dropRare(): i32 {
  const textOf = take(usize(MOST_TEMPLATES + 1) << 3);
  memory.fill(textOf, 0, usize(MOST_TEMPLATES + 1) << 3);
  for (let index = 0; index < lineCount; index++) {
    const line = lineAt(index);
    const sum = textOf + (usize(line.template) << 3);
    store<f64>(sum, load<f64>(sum) + f64(line.to - line.from));
  }
  const numbers = take(usize(MOST_TEMPLATES + 1) << 2);
  store<i32>(numbers, RAW);
  let kept = 0;
  for (let index = 0; index < tableCount; index++) {
    const table = tableAt(index);
    const isRare = table.rows < RARE_ROWS && load<f64>(textOf + (usize(index + 1) << 3)) < RARE_BYTES;
    if (!isRare) store<usize>(tables + (usize(kept++) << 2), changetype<usize>(table));
    store<i32>(numbers + (usize(index + 1) << 2), isRare ? RAW : kept);
  }
  for (let index = 0; index < lineCount; index++) {
    const line = lineAt(index);
    line.template = load<i32>(numbers + (usize(line.template) << 2));
  }
  return kept;
}

/** What is told of lines as such. @returns the templates with what each one's rows need of them. */
function writeLines(): Tables {
  const raw = newByteWriter(1 << 10);
  const order = take(usize(lineCount) << 2);
  const rawLengths = take(usize(lineCount) << 2);
  const steps = take(usize(lineCount) << 3);
  const taken = take(usize(lineCount) << 2);
  let rawCount = 0;
  let takenCount = 0;
  let before: i64 = 0;
  for (let index = 0; index < lineCount; index++) {
    const line = lineAt(index);
    store<i32>(order + (usize(index) << 2), line.template);
    if (line.template === RAW) {
      store<i32>(rawLengths + (usize(rawCount++) << 2), i32(line.to - line.from));
      raw.bytes(line.from, line.to - line.from);
      continue;
    }
    store<u64>(steps + (usize(takenCount) << 3), zigzag(line.receivedAt - before));
    before = line.receivedAt;
    store<i32>(taken + (usize(takenCount++) << 2), line.template - 1);
  }
  out.byte(textEnd === text || load<u8>(textEnd - 1) === LINE_FEED ? 1 : 0);
  out.integer(lineCount);
  out.integer(tableCount);
  for (let index = 0; index < tableCount; index++) out.bytes(tableAt(index).source, tableAt(index).sourceLength);
  writeSmallIntegers(out, order, lineCount);
  writeIntegers(out, steps, takenCount);
  writeSmallIntegers(out, rawLengths, rawCount);
  writeBytes(out, raw.at, raw.length);
  const kept = changetype<Tables>(take(offsetof<Tables>()));
  kept.tables = tables;
  kept.count = tableCount;
  kept.order = taken;
  kept.lines = takenCount;
  kept.receivedAt = spread();
  return kept;
}

/** Receive times are told once for all lines; each template has its own share of them. */
function spread(): usize {
  const shares = take(usize(tableCount) << 2);
  const ends = take(usize(tableCount) << 2);
  for (let index = 0; index < tableCount; index++) {
    const share = take(usize(tableAt(index).rows) << 3);
    store<usize>(shares + (usize(index) << 2), share);
    store<usize>(ends + (usize(index) << 2), share);
  }
  for (let index = 0; index < lineCount; index++) {
    const line = lineAt(index);
    if (line.template === RAW) continue;
    const endAt = ends + (usize(line.template - 1) << 2);
    const end = load<usize>(endAt);
    store<i64>(end, line.receivedAt);
    store<usize>(endAt, end + 8);
  }
  return shares;
}
