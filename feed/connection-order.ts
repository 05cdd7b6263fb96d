/**
 * Whether a connection's frames are all there, where the venue numbers them over all channels (Coinbase Advanced Trade's `sequence_num`).
 * A hole means that something was lost, and not what: every book of the connection is to be built again.
 */

export type FrameOrder = "continues" | "hole" | "repeated";

export class ConnectionOrder {
  /** The number of the last frame; null before the first. */
  last: number | null = null;

  /** @param sequence null for a frame that carries no number: it says nothing. */
  judge(sequence: number | null): FrameOrder {
    if (sequence === null) return "continues";
    const { last } = this;
    if (last !== null && sequence <= last) return "repeated";
    this.last = sequence;
    // A connection begins at any number: what came before it was opened was never ours.
    return last === null || sequence === last + 1 ? "continues" : "hole";
  }

  reset(): void {
    this.last = null;
  }
}
