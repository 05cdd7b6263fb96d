/**
 * Gathers what many ask at once into few calls: while one call is on its way those who come wait, and go together in the next. Who comes when nothing is on its
 * way goes at once.
 *
 * Each call is made by the first of those that it is for, in that one's request, so that no request works for others longer than one call takes. A call that
 * takes far too long is taken for dead (its request was killed): the next doesn't wait for it.
 */

import { sharedPromise } from "../shared-promise.ts";

export interface GathererOptions {
  /** Asks in one call. */
  readonly most: number;
  readonly lostAfterMs: number;
}

export interface Sender<Ask, Answer> {
  after(ms: number): Promise<void>;
  /** @returns an answer for each ask. */
  send(asks: readonly Ask[]): Promise<readonly Answer[]>;
}

interface Call<Ask, Answer> {
  readonly asks: Ask[];
  readonly answers: Promise<readonly Answer[]>;
}

export class Gatherer<Ask, Answer> {
  private readonly options: GathererOptions;
  /** Ends when the last call that was begun has ended, well or badly. */
  private last: Promise<unknown> | null = null;
  private gathering: Call<Ask, Answer> | null = null;

  constructor(options: GathererOptions) {
    this.options = options;
  }

  /** @throws what `send` throws, to all whose asks were in the call. */
  async ask(ask: Ask, sender: Sender<Ask, Answer>): Promise<Answer> {
    const call = this.gathering !== null && this.gathering.asks.length < this.options.most ? this.gathering : this.begin(sender);
    const at = call.asks.push(ask) - 1;
    const answer = (await call.answers)[at];
    if (answer === undefined) throw new Error(`a call of ${call.asks.length} asks was answered without number ${at}`);
    return answer;
  }

  private begin(sender: Sender<Ask, Answer>): Call<Ask, Answer> {
    const asks: Ask[] = [];
    const free = this.last === null ? Promise.resolve() : Promise.race([this.last, sender.after(this.options.lostAfterMs)]);
    const answers = sharedPromise(
      free.then(() => {
        if (this.gathering === call) this.gathering = null;
        return sender.send(asks);
      }),
    );
    const ended: Promise<unknown> = sharedPromise(
      answers
        .catch(() => undefined)
        .then(() => {
          if (this.last === ended) this.last = null;
        }),
    );
    const call = { asks, answers };
    this.last = ended;
    this.gathering = call;
    return call;
  }
}
