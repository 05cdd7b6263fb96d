/**
 * Instruments from the venues' lists of products: the grids are the venue's own increments.
 *
 * Exchange, `GET /products`: `quote_increment` is the price's step, `base_increment` the size's.
 * https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-all-known-trading-pairs (read 2026-11-27)
 * Advanced Trade, `GET /api/v3/brokerage/market/products`: `price_increment` is the price's step where it is named (`quote_increment` is of
 * amounts there), `base_increment` the size's; futures say in `future_product_details` what a contract is of.
 * https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/list-public-products (read 2026-11-27)
 */

import type { Contract } from "../../core/market/instrument.ts";
import { type DecimalGrid, parseGrid } from "../../core/units/decimal.ts";
import type { Listing } from "../contract.ts";
import { arrayField, FieldError, isObject, type JsonObject, parseJson, shown, textField } from "../decoding/json-fields.ts";
import { entriesOf, readListed } from "../decoding/listed-instruments.ts";

type Products = Listing | { malformed: string };

export function decodeExchangeProducts(venue: string, body: string, symbols: readonly string[]): Products {
  return decodeProducts(body, (root) => {
    if (!Array.isArray(root)) throw answered(root);
    return readListed(entriesOf(root, "id", symbols), (symbol, product) => ({
      venue,
      symbol,
      tick: gridField(product, "quote_increment", symbol),
      lot: gridField(product, "base_increment", symbol),
    }));
  });
}

export function decodeAdvancedProducts(venue: string, body: string, symbols: readonly string[]): Products {
  return decodeProducts(body, (root) => {
    if (!isObject(root) || !("products" in root)) throw answered(root);
    return readListed(entriesOf(arrayField(root, "products"), "product_id", symbols), (symbol, product) => ({
      venue,
      symbol,
      tick: gridField(product, isNamed(product.price_increment) ? "price_increment" : "quote_increment", symbol),
      lot: gridField(product, "base_increment", symbol),
      ...contractOf(product),
    }));
  });
}

function decodeProducts(body: string, read: (root: unknown) => Listing): Products {
  try {
    return read(parseJson(body));
  } catch (error) {
    if (error instanceof FieldError) return { malformed: `products: ${error.message}` };
    throw error;
  }
}

function answered(root: unknown): FieldError {
  if (root === undefined) return new FieldError("not JSON");
  if (isObject(root) && "message" in root) return new FieldError(`the venue answered ${shown(root.message)}`);
  return new FieldError(`not a list of products: ${shown(root)}`);
}

function gridField(product: JsonObject, key: string, symbol: string): DecimalGrid {
  const grid = parseGrid(textField(product, key));
  if (grid === null) throw new FieldError(`${key} of ${symbol} is ${shown(product[key])}, not a positive decimal`);
  return grid;
}

/** Coinbase's futures are worth a fixed amount of what they are named after, and settle in dollars: linear, all of them. */
function contractOf(product: JsonObject): { contract?: Contract } {
  const details = product.future_product_details;
  if (product.product_type !== "FUTURE" || !isObject(details)) return {};
  return { contract: { kind: "linear", size: textField(details, "contract_size"), unit: textField(details, "contract_root_unit") } };
}

function isNamed(increment: unknown): boolean {
  return typeof increment === "string" && increment !== "";
}
