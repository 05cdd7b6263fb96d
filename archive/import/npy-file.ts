/**
 * NumPy's array files: `.npy`, and `.npz`, a zip of them. Read as a stream of rows of a one-dimensional structured array; the zip by yauzl.
 *
 * Own, since no library kept up reads structured types (decision 0015). The format is https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html,
 * read 2026-11-27: magic, version, length of the header, a Python literal `{'descr': [(name, type), …], 'fortran_order': False, 'shape': (n,), }`, then the rows.
 * Refused: other byte orders than little-endian, arrays that aren't structured, types beyond 64-bit integers and floats.
 */

import { createReadStream } from "node:fs";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { ArchiveError } from "../archive-error.ts";

export type NpyType = "<u8" | "<i8" | "<f8";

export interface NpyField {
  readonly name: string;
  readonly type: NpyType;
  /** Byte at which it begins in a row. */
  readonly offset: number;
}

export interface NpyRows {
  readonly fields: readonly NpyField[];
  readonly rowBytes: number;
  /** Whole rows, one behind the other. */
  readonly bytes: Buffer;
  /** Number of the first, from 0. */
  readonly firstRow: number;
}

const MAGIC = Buffer.from("\x93NUMPY", "latin1");
/** NumPy's own headers have some hundred bytes. */
const LONGEST_HEADER = 65_536;
const FIELD_BYTES = 8;

/** @param array name of the array in a `.npz`, without ".npy"; the only one where there is one. */
export async function* readNpy(path: string, array: string, onBytes: (bytes: number) => void): AsyncGenerator<NpyRows> {
  if (path.endsWith(".npz")) {
    const zip = await openZip(path);
    // A zip's own progress isn't told by its file: the whole of it counts once it is open.
    onBytes(zip.fileSize);
    try {
      yield* readRows(await zip.openReadStreamPromise(await entryOf(zip, { array, path })), path);
    } finally {
      zip.close();
    }
  } else {
    const file = createReadStream(path);
    file.on("data", (block) => onBytes(block.length));
    yield* readRows(file, path);
  }
}

async function openZip(path: string): Promise<ZipFile> {
  return openPromise(path, { lazyEntries: true, autoClose: false }).catch((error: unknown) => {
    throw new ArchiveError(`${path} is no zip (${reasonOf(error)})`);
  });
}

async function entryOf(zip: ZipFile, { array, path }: { array: string; path: string }): Promise<Entry> {
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) if (entry.fileName.endsWith(".npy")) entries.push(entry);
  const wanted = entries.find(({ fileName }) => fileName === `${array}.npy`) ?? (entries.length === 1 ? entries[0] : undefined);
  if (wanted === undefined) throw new ArchiveError(`${path}: there is no array "${array}" in it`);
  return wanted;
}

async function* readRows(stream: AsyncIterable<Buffer>, path: string): AsyncGenerator<NpyRows> {
  let held: Buffer = Buffer.alloc(0);
  let header: Header | null = null;
  let firstRow = 0;
  try {
    for await (const block of stream) {
      held = held.length === 0 ? block : Buffer.concat([held, block]);
      if (header === null) {
        header = parseHeader(held, path);
        if (header === null) continue;
        held = held.subarray(header.bytes);
      }
      const rows = Math.min(Math.floor(held.length / header.rowBytes), header.rows - firstRow);
      if (rows <= 0) continue;
      yield { fields: header.fields, rowBytes: header.rowBytes, bytes: held.subarray(0, rows * header.rowBytes), firstRow };
      held = held.subarray(rows * header.rowBytes);
      firstRow += rows;
    }
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveError(`${path} can't be read beyond row ${firstRow} (${reasonOf(error)}): copy it again, or leave it out`);
  }
  if (header === null) throw new ArchiveError(`${path} is no NumPy array, or ends in its header`);
  if (firstRow < header.rows) throw new ArchiveError(`${path} ends after row ${firstRow} of ${header.rows}: copy it again`);
}

interface Header {
  readonly fields: readonly NpyField[];
  readonly rowBytes: number;
  readonly rows: number;
  /** Bytes before the first row. */
  readonly bytes: number;
}

/** @returns null while the header isn't whole. */
function parseHeader(held: Buffer, path: string): Header | null {
  if (held.length < 12) return null;
  if (!held.subarray(0, MAGIC.length).equals(MAGIC))
    throw new ArchiveError(`${path} is no NumPy array: its first bytes are not \\x93NUMPY`);
  const start = (held[6] as number) >= 2 ? 12 : 10;
  const length = start === 12 ? held.readUInt32LE(8) : held.readUInt16LE(8);
  if (length > LONGEST_HEADER) throw new ArchiveError(`${path}: a header of ${length} bytes is no NumPy array's`);
  if (held.length < start + length) return null;
  const text = held.toString("latin1", start, start + length);
  const shape = /'shape': \((\d{1,12}),\)/.exec(text);
  const descr = /'descr': \[(.*?)\]/s.exec(text);
  if (shape === null || descr === null)
    throw new ArchiveError(`${path}: not a one-dimensional array of records, as hftbacktest 2 writes them (${text.trim().slice(0, 100)})`);
  const fields = [...(descr[1] as string).matchAll(/\('([^']{1,60})', '([^']{1,10})'\)/g)].map(([, name, type], index): NpyField => {
    if (type !== "<u8" && type !== "<i8" && type !== "<f8") throw new ArchiveError(`${path}: field ${name} is of type ${type}`);
    return { name: name as string, type, offset: index * FIELD_BYTES };
  });
  if (fields.length === 0) throw new ArchiveError(`${path}: an array without fields`);
  return { fields, rowBytes: fields.length * FIELD_BYTES, rows: Number(shape[1]), bytes: start + length };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
