/**
 * A bucket that counts what it is asked, by what R2 bills (https://developers.cloudflare.com/r2/pricing/, read 2026-11-27): class A is what writes
 * or lists, class B what reads; deleting is free. An invocation may make only so many calls, billed or not.
 */

export interface Operations {
  readonly classA: number;
  readonly classB: number;
}

export interface MeteredBucket {
  readonly r2: R2Bucket;
  operations(): Operations;
  /** Of all kinds. */
  calls(): number;
}

type Bill = "A" | "B" | "free";

const BILLED = new Map<PropertyKey, Bill>([
  ["list", "A"],
  ["put", "A"],
  ["createMultipartUpload", "A"],
  ["uploadPart", "A"],
  ["complete", "A"],
  ["get", "B"],
  ["head", "B"],
  ["delete", "free"],
  ["abort", "free"],
]);

export function meterBucket(bucket: R2Bucket): MeteredBucket {
  const counts = { A: 0, B: 0, free: 0 };
  const metered = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name) {
        const member: unknown = Reflect.get(of, name);
        if (typeof member !== "function") return member;
        const billed = BILLED.get(name);
        return async (...parameters: unknown[]): Promise<unknown> => {
          if (billed !== undefined) counts[billed]++;
          const answer: unknown = await Reflect.apply(member, of, parameters);
          // Its parts are billed one by one.
          return name === "createMultipartUpload" ? metered(answer as object) : answer;
        };
      },
    });
  return {
    r2: metered(bucket),
    operations: () => ({ classA: counts.A, classB: counts.B }),
    calls: () => counts.A + counts.B + counts.free,
  };
}
