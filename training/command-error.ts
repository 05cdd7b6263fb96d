/**
 * What went wrong with what a person asked for: a missing file, data that don't fit, a wrong option. The message says what to do next.
 * The command line prints it without a stack; any other error is a bug and shows its stack.
 */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
