/**
 * A file from an instance: into `<path>.partial`, from where that one stands, and under its own name only when it is whole and proved. What was
 * begun is gone on with by the next run; no byte comes twice.
 */

import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { proveChain } from "../../core/wire/day-file/reader.ts";
import { ArchiveError } from "../archive-error.ts";
import { faultText, fileBytes, sha256 } from "../day-file.ts";
import { CutOff, type Instance } from "./instance.ts";

export interface DayDownload {
  /** Of the API. */
  readonly url: string;
  /** Where it is to lie. */
  readonly path: string;
  readonly market: string;
  readonly day: string;
  readonly head: string;
  readonly bytes: number;
}

/** @returns how many bytes came. Throws ArchiveError when what came is not the file, twice. */
export async function downloadDay(instance: Instance, file: DayDownload, onBytes: (bytes: number) => void): Promise<number> {
  const partial = `${file.path}.partial`;
  await mkdir(dirname(file.path), { recursive: true });
  let came = 0;
  for (let attempt = 1; ; attempt++) {
    came += await fetchRest(instance, file, { partial, onBytes });
    const proof = await proveChain(fileBytes(partial), sha256, { market: file.market, day: file.day });
    if (proof.isWhole && proof.head === file.head) break;
    await rm(partial);
    const reason = proof.isWhole ? `its head is ${proof.head}, not ${file.head}` : faultText(proof.fault);
    // A disk that lost something since the last run is mended by the second attempt; an instance that gives another file is not.
    if (attempt === 2) throw new ArchiveError(`${file.url} came twice, and is not the day file that the list names: ${reason}`);
  }
  await rename(partial, file.path);
  return came;
}

/** Small, and whole or not at all: no ranges. */
export async function downloadWhole(instance: Instance, url: string, path: string): Promise<number | null> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  return instance.patiently(
    url,
    async (response) => {
      if (response.status === 404) return null;
      const bytes = await store(response, partial, { from: 0, onBytes: () => {} });
      await rename(partial, path);
      return bytes;
    },
    { accepted: [200, 404] },
  );
}

async function fetchRest(
  instance: Instance,
  { url, head, bytes }: DayDownload,
  { partial, onBytes }: { partial: string; onBytes: (bytes: number) => void },
): Promise<number> {
  let have = await sizeOf(partial);
  if (have > bytes) await rm(partial);
  have = await sizeOf(partial);
  onBytes(have);
  const before = have;
  while (have < bytes) {
    const began = have;
    await instance
      .patiently(
        url,
        async (response) => {
          try {
            await store(response, partial, { from: have, onBytes });
          } catch (error) {
            have = await sizeOf(partial);
            // All of it came before the connection broke.
            if (have !== bytes) throw error;
          }
        },
        { headers: () => ({ range: `bytes=${have}-`, "if-match": `"${head}"` }), accepted: [206] },
      )
      .catch((error: unknown) => {
        // Patience is for an instance that gives nothing: one that gives a part each time comes to an end.
        if (have === began) throw error;
      });
    have = await sizeOf(partial);
  }
  return have - before;
}

/** @param from where in the file it belongs. Throws CutOff when the connection broke off; what had come stays. */
async function store(
  response: Response,
  path: string,
  { from, onBytes }: { from: number; onBytes: (bytes: number) => void },
): Promise<number> {
  if (response.body === null) return 0;
  let bytes = 0;
  const counted = new Transform({
    transform(piece: Buffer, _encoding, done) {
      bytes += piece.length;
      onBytes(piece.length);
      done(null, piece);
    },
  });
  // By place, not appended: what a broken write brings late lands where it belongs.
  const disk = createWriteStream(path, from === 0 ? { flags: "w" } : { flags: "r+", start: from });
  try {
    await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), counted, disk);
  } catch (error) {
    if (error instanceof Error && "syscall" in error && "path" in error) throw error;
    throw new CutOff(`the connection broke off after ${bytes} bytes`, { cause: error });
  }
  return bytes;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}
