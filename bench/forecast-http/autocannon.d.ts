/** What load.ts uses of autocannon 9.0.0, which has no types of its own. */

declare module "autocannon" {
  export interface Client {
    setRequests(requests: readonly { readonly method: "GET"; readonly path: string }[]): void;
  }

  export interface Settings {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    readonly setupClient: (client: Client) => void;
  }

  export interface Outcome {
    readonly "2xx": number;
    readonly non2xx: number;
    readonly errors: number;
    readonly timeouts: number;
    /** Seconds. */
    readonly duration: number;
  }

  interface Running extends Promise<Outcome> {
    on(event: "response", heard: (client: Client, status: number, bytes: number, milliseconds: number) => void): this;
  }

  export default function autocannon(settings: Settings): Running;
}
