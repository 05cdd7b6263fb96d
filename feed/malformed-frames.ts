/** Frames that could not be read: how many, and the newest of them as samples. */

/** Kept as samples, and how much of each. */
const KEPT_SAMPLES = 10;
const SAMPLE_CHARACTERS = 200;

export class MalformedFrames {
  count = 0;
  /** `<reason>: <start of the frame>`, oldest first. */
  readonly samples: string[] = [];

  add(text: string, reason: string): void {
    this.count++;
    this.samples.push(`${reason}: ${copyOfStart(text)}`);
    if (this.samples.length > KEPT_SAMPLES) this.samples.shift();
  }
}

/** Copied character by character: V8 keeps a slice as a view, and the whole frame, of megabytes perhaps, alive with it. */
function copyOfStart(text: string): string {
  return [...text.slice(0, SAMPLE_CHARACTERS)].join("");
}
