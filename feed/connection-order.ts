/**
 * Whether a connection's frames are all there, where the venue numbers them over all channels (Coinbase Advanced Trade's `sequence_num`).
 * A hole means that something was lost, and not what: every book of the connection is to be built again.
 *
 * A number that is wrong (a digit changed on its way) may lie so far ahead that whatever follows looks old, and with it the books that are sent again.
 * So numbers of the past that count up by one are believed after some frames: a frame that comes late, or twice, comes alone.
 */

/** Frames in a row that count up by one below the last number, until it is they that are believed. */
const BELIEVED_AFTER = 3;

export type FrameOrder = "continues" | "hole" | "repeated";

export class ConnectionOrder {
  /** The number of the last frame; null before the first. */
  last: number | null = null;
  /** The last number of the past, and how many before it it continues. */
  private past: { readonly sequence: number; readonly run: number } | null = null;

  /** @param sequence null for a frame that carries no number: it says nothing. */
  judge(sequence: number | null): FrameOrder {
    if (sequence === null) return "continues";
    const { last } = this;
    if (last !== null && sequence <= last && !this.isBelieved(sequence)) return "repeated";
    this.past = null;
    this.last = sequence;
    // A connection begins at any number: what came before it was opened was never ours.
    return last === null || sequence === last + 1 ? "continues" : "hole";
  }

  reset(): void {
    this.last = null;
    this.past = null;
  }

  private isBelieved(sequence: number): boolean {
    const { past } = this;
    const run = past !== null && sequence === past.sequence + 1 ? past.run + 1 : 1;
    this.past = { sequence, run };
    return run >= BELIEVED_AFTER;
  }
}
