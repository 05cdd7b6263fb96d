/**
 * What is wrong with a file or a wish of a person: it names the file, where it can the line, and says what to do. The command line prints it
 * without a stack; any other error is a bug.
 */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}
