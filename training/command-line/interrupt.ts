/** Ctrl-C, twice: the first time work is asked to stop where it can go on from, the second time the process ends at once. */

/** What a shell says of a command that SIGINT ended: 128 + 2. */
const INTERRUPTED_EXIT_CODE = 130;

/** @returns a signal that aborts at the first ctrl-C, and how to leave the process as it was. */
export function listenForInterrupt(tell: (message: string) => void): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    if (controller.signal.aborted) {
      endAtOnce();
      return;
    }
    tell("stopping after this step; ctrl-C again stops at once");
    controller.abort();
  };
  process.on("SIGINT", onInterrupt);
  return { signal: controller.signal, release: () => process.off("SIGINT", onInterrupt) };
}

/**
 * As if nobody listened. Not by `exit`, which stops the worker threads first: one within a native call aborts the process instead ("terminate called
 * after throwing an instance of 'Napi::Error'", one time in six).
 */
function endAtOnce(): void {
  if (process.stderr.isTTY) process.stderr.write(SHOW_CURSOR);
  process.removeAllListeners("SIGINT");
  process.kill(process.pid, "SIGINT");
}

/** A progress bar hides it. */
const SHOW_CURSOR = "\u001b[?25h";

/** Ends the command as one that was interrupted. */
export function tellHowToResume(message: string, tell: (message: string) => void): void {
  tell(`${message}. Go on with the same options and --resume:\n  edgebook ${argumentsToResume()}`);
  process.exitCode = INTERRUPTED_EXIT_CODE;
}

/** Nothing of it was kept. */
export function tellItIsGone(message: string, tell: (message: string) => void): void {
  tell(message);
  process.exitCode = INTERRUPTED_EXIT_CODE;
}

function argumentsToResume(): string {
  const given = process.argv.slice(2).filter((argument) => argument !== "--resume" && argument !== "--overwrite");
  return [...given, "--resume"]
    .map((argument) => (/^[\w./:=-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`))
    .join(" ");
}
