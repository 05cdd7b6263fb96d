/** Who is told how far the work is: the command line draws a bar, tests look away. */
export interface ArchiveProgress {
  /** @param total in bytes of the files read. */
  start(label: string, total: number | null): void;
  update(done: number): void;
  stop(): void;
}
