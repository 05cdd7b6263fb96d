export type FaultInjector = {
  pass(link: import("../link.ts").Link, frame: import("../venue.ts").Frame): void;
  forget(link: import("../link.ts").Link): void;
  settle(): void;
  tick(): void;
  readonly nextTick: number;
  refusalOf(
    stall: import("../world.ts").Stall,
    request: import("../venue.ts").RestRequest,
  ): { answer: import("../venue.ts").RestAnswer; delayMs: number } | null;
  restDelayMs(stall: import("../world.ts").Stall, request: import("../venue.ts").RestRequest): number;
  keptBookFor(stall: import("../world.ts").Stall, request: import("../venue.ts").RestRequest): import("../venue.ts").KeptBook | null;
};
