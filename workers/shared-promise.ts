/**
 * A promise that other requests may wait for, as they do for a look or a load that is made once for all.
 *
 * workerd lets what follows on a promise run in the request of whoever waits. It knows by a tag on the promise that this is another's, and watches it for the one who
 * waits. But a promise that optimised code makes for an `async` function or a `then` has no tag: under load, what follows ran in the request that ended the work, and
 * its answer was refused there ("Cannot perform I/O on behalf of a different request"), or waited for nothing and was cancelled as hung. `Promise.withResolvers` is
 * never compiled into what calls it, and tags what it makes. (github.com/cloudflare/workerd, patches/v8, "Implement Promise Context Tagging"; measured with workerd
 * 1.20261023.1 on 2026-11-27.)
 *
 * It must be made and ended in one and the same request. Where that one is killed, nobody who waits goes on: who must, waits for a time besides.
 */

/** @param work of the request that calls this. Whether anybody waits or not, nothing that it throws is unhandled. */
export function sharedPromise<T>(work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  work.then(resolve, reject);
  promise.catch(() => undefined);
  return promise;
}
