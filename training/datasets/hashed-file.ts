/** A file written piece by piece, with its hash and length kept on the way. */

import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { finished } from "node:stream/promises";
import type { StoredFile } from "./card.ts";

export class HashedFile {
  private readonly stream: WriteStream;
  private readonly hash: Hash = createHash("sha256");
  private readonly path: string;
  private bytes = 0;
  private failure: Error | null = null;

  constructor(path: string) {
    this.path = path;
    this.stream = createWriteStream(path);
    // Kept for the next call: an error event that nobody listens to would end the process.
    this.stream.on("error", (error) => {
      this.failure = error;
    });
  }

  /** Writes a copy of the array's bytes; waits when the disk is behind. */
  async write(values: Float64Array | Uint32Array | Uint8Array): Promise<void> {
    if (this.failure !== null) throw this.failure;
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const copy = Buffer.from(bytes);
    this.hash.update(copy);
    this.bytes += copy.length;
    if (!this.stream.write(copy)) await once(this.stream, "drain");
  }

  async close(): Promise<StoredFile> {
    this.stream.end();
    await finished(this.stream);
    return { file: basename(this.path), bytes: this.bytes, sha256: this.hash.digest("hex") };
  }

  /** Takes the file away, whole or not; what can't be taken away stays. */
  async discard(): Promise<void> {
    const { stream } = this;
    if (!stream.closed) {
      // Not before its opening is through: that would make the file again.
      const closed = new Promise<void>((resolve) => stream.once("close", resolve));
      stream.destroy();
      await closed;
    }
    await rm(this.path, { force: true }).catch(() => {});
  }
}
