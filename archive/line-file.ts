/**
 * A text file written line by line, compressed when its name ends in .gz. It lies under a name of its own until `close`, so that a reader never
 * takes half of a file for the whole.
 */

import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { finished } from "node:stream/promises";
import { createGzip, type Gzip } from "node:zlib";

/** Characters gathered before they are handed on. */
const BLOCK_CHARACTERS = 1 << 17;

export class LineFile {
  readonly path: string;
  private readonly disk: WriteStream;
  private readonly gzip: Gzip | null;
  private failure: Error | null = null;
  private gathered: string[] = [];
  private characters = 0;

  static async create(path: string): Promise<LineFile> {
    await mkdir(dirname(path), { recursive: true });
    return new LineFile(path);
  }

  private constructor(path: string) {
    this.path = path;
    this.disk = createWriteStream(partial(path));
    this.gzip = path.endsWith(".gz") ? createGzip() : null;
    this.gzip?.pipe(this.disk);
    // Kept for the next call: an error event that nobody hears ends the process. A pipe doesn't carry it back to whoever writes.
    this.disk.on("error", (error: Error) => {
      this.failure ??= error;
      this.gzip?.destroy(error);
    });
    this.gzip?.on("error", (error: Error) => {
      this.failure ??= error;
    });
  }

  /** Takes a line, without its line feed. Call `drained` now and then. */
  line(text: string): void {
    this.gathered.push(text);
    this.characters += text.length + 1;
  }

  /** Hands on what was gathered, and waits where the disk is behind. */
  async drained(): Promise<void> {
    if (this.characters >= BLOCK_CHARACTERS) await this.flush();
  }

  /** @returns the file's size in bytes. */
  async close(): Promise<number> {
    await this.flush();
    (this.gzip ?? this.disk).end();
    await finished(this.disk);
    if (this.failure !== null) throw this.failure;
    await rename(partial(this.path), this.path);
    return (await stat(this.path)).size;
  }

  private async flush(): Promise<void> {
    if (this.failure !== null) throw this.failure;
    if (this.gathered.length === 0) return;
    const text = `${this.gathered.join("\n")}\n`;
    this.gathered = [];
    this.characters = 0;
    const stream = this.gzip ?? this.disk;
    // Rejects where the stream fails meanwhile.
    if (!stream.write(text)) await once(stream, "drain");
  }
}

function partial(path: string): string {
  return `${path}.partial`;
}
