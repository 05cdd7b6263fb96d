/** Progress bars on stderr, when a person is there to see them; nothing otherwise, so that pipes and logs stay clean. */

import { Presets, SingleBar } from "cli-progress";
import { type Progress, silent } from "../progress.ts";

export function terminalProgress(): Progress {
  if (!process.stderr.isTTY) return silent;
  let bar: SingleBar | null = null;
  return {
    start(label, total) {
      bar?.stop();
      bar = new SingleBar(
        {
          format: `${label} {bar} {percentage} % {duration_formatted} {note}`,
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
  };
}
