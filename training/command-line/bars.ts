/** Progress bars on stderr, when a person is there to see them; nothing otherwise, so that pipes and logs stay clean. */

import { Presets, SingleBar } from "cli-progress";
import { type Progress, silent } from "../progress.ts";

/** With a training's words behind it, it fits into 80 columns. */
const BAR_COLUMNS = 10;

export function terminalProgress(): Progress {
  if (!process.stderr.isTTY) return silent;
  let bar: SingleBar | null = null;
  return {
    start(label, total) {
      bar?.stop();
      // On a line of its own: a bar that is wider than the terminal is cut, and what it says comes last.
      process.stderr.write(`${label}\n`);
      bar = new SingleBar(
        {
          format: "{bar} {percentage} % {note}",
          barsize: BAR_COLUMNS,
          stream: process.stderr,
          hideCursor: true,
          clearOnComplete: false,
        },
        Presets.shades_classic,
      );
      bar.start(total ?? 0, 0, { note: "" });
    },
    update(done, note) {
      bar?.update(done, note === undefined ? {} : { note });
    },
    stop() {
      bar?.update(bar.getTotal());
      bar?.stop();
      bar = null;
    },
    abandon() {
      bar?.stop();
      bar = null;
    },
  };
}
