/**
 * The Worker that the workerd tests run beside: the public one, with the feed object in the same script so that tests can reach into it.
 * The inference Worker is not here: onnxruntime costs seconds to import, and only its own test pays that.
 */

export { MarketFeed } from "../../durable-objects/main.ts";
export { default } from "../../workers/main.ts";
export { SharingRequests } from "./sharing-requests.ts";
export { SimulatedFeed } from "./simulated-feed.ts";
