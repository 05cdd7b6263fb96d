/**
 * What forecasts cost: of those that were recorded and scored in the hours counted, a day of them at the price of each thing, as if the plan included nothing. What a month's bill
 * shows of them is in its own lines, after what is included. Pure.
 *
 * CPU is assumed, from `npm run bench -- forecast-cost`; so is that each of cron's runs finds no isolate that has the models, which is the dearest that can be.
 * Not here: requests of visitors, each of which costs a request and its CPU (`CPU_MS`), and computes nothing that another asked for in the same second;
 * calls from Worker to Worker, which aren't billed; time of the feed's object, which is awake anyway.
 */

import { PRICES, type PricedThing } from "./prices.ts";

/** What became of forecasts, over so many whole hours of the last day. */
export interface LedgerUsage {
  /** In which anything was scored; 0: no forecast yet. */
  readonly hours: number;
  readonly markets: number;
  /** Active and shadows. */
  readonly models: number;
  readonly forecasts: number;
  /** How often the sums of an hour, market and model were written. */
  readonly scorings: number;
  /** Hours of markets and models. */
  readonly scoreRows: number;
}

export interface ForecastLine {
  readonly id: PricedThing;
  readonly what: string;
  readonly unit: string;
  readonly basis: "measured" | "assumed";
  readonly from: string;
  readonly perDay: number;
  readonly priceUsd: number;
  readonly per: number;
  readonly usdPerDay: number;
  readonly arithmetic: string;
}

export interface ForecastBill {
  readonly forecastsPerDay: number;
  readonly markets: number;
  readonly models: number;
  readonly lines: readonly ForecastLine[];
  /** Of a day, were nothing included. */
  readonly usdPerDay: number;
}

/** A day of them. */
export interface ForecastRates {
  readonly forecasts: number;
  readonly scorings: number;
  readonly scoreRows: number;
  readonly cpuMs: number;
  /** From R2. */
  readonly modelFiles: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

/** Rows and their index entries, as D1 reports them (test/workerd/ledger-cost.test.ts): a scoring writes the hour's sums, and a score row, beside that, its two index entries. */
export const LEDGER_ROWS_WRITTEN = { forecast: 2, scoring: 1, scoreRow: 2 } as const;
/**
 * A forecast is read once or twice before it is due, and once for its score; a scoring reads how far it is, the minutes that its path lies in, and the sums before. A role is read with
 * its model's version, and sorted.
 */
export const LEDGER_ROWS_READ = { forecast: 4, scoring: 25, role: 3 } as const;
/** Of D1, index entries among them (test/workerd/ledger-cost.test.ts): of six horizons with bid, mid, ask, interval and odds each, and of an hour's sums of them. */
export const LEDGER_BYTES = { forecast: 320, scoreRow: 8_000 } as const;
/**
 * Of workerd's process, by `npm run bench -- forecast-cost` on 2026-11-27 on a busy machine of two cores, D1 and R2 on its own thread among it: the dearer of 200 trees a move (8.7, 0.9, 3.6, 483)
 * and of an LSTM over 100 rows (11.8, 0.6, 7.3, 370), rounded up.
 * A forecast of cron's is its rows, its answer, its record and its score; a request of the API what it adds to one that another has asked for, or has it computed itself. A start is all
 * Workers' code, onnxruntime and the model.
 */
export const CPU_MS = { forecast: 12, keptRequest: 1, computedRequest: 8, start: 500 } as const;
/** A manifest and its model. */
const FILES_PER_MODEL = 2;
const RUNS_PER_DAY = 1_440;
const HOURS_PER_DAY = 24;
const DAYS = 30;

export function forecastRates(ledger: LedgerUsage): ForecastRates {
  const [forecasts, scorings, scoreRows] = [ledger.forecasts, ledger.scorings, ledger.scoreRows].map((count) => perDay(ledger, count)) as [
    number,
    number,
    number,
  ];
  const starts = forecasts === 0 ? 0 : RUNS_PER_DAY;
  return {
    ...{ forecasts, scorings, scoreRows },
    cpuMs: forecasts * CPU_MS.forecast + starts * CPU_MS.start,
    modelFiles: starts * ledger.models * FILES_PER_MODEL,
    rowsRead: forecasts * LEDGER_ROWS_READ.forecast + scorings * LEDGER_ROWS_READ.scoring + starts * ledger.models * LEDGER_ROWS_READ.role,
    rowsWritten:
      forecasts * LEDGER_ROWS_WRITTEN.forecast + scorings * LEDGER_ROWS_WRITTEN.scoring + scoreRows * LEDGER_ROWS_WRITTEN.scoreRow,
  };
}

export function forecastBill(ledger: LedgerUsage): ForecastBill {
  const rates = forecastRates(ledger);
  const { forecasts, scorings, scoreRows } = rates;
  const { markets, models } = ledger;
  const each = forecasts === 0 ? "no forecast yet" : `a cold start a cron run, ${RUNS_PER_DAY}`;
  const bytes = forecasts * LEDGER_BYTES.forecast + scoreRows * LEDGER_BYTES.scoreRow;
  const lines = [
    line("worker-cpu", {
      basis: "assumed",
      from: `${forecasts} forecasts × ${CPU_MS.forecast} ms; ${each} × ${CPU_MS.start} ms; no visitors: a request adds ${CPU_MS.keptRequest} ms, or ${CPU_MS.computedRequest} where it is the first of its second`,
      amount: rates.cpuMs,
    }),
    line("object-requests", { basis: "measured", from: "a call for its rows for each forecast, at most", amount: forecasts }),
    line("d1-rows-read", {
      basis: "measured",
      from: `${forecasts} forecasts × ${LEDGER_ROWS_READ.forecast}, ${scorings} scorings × ${LEDGER_ROWS_READ.scoring}; ${each} × ${models} roles × ${LEDGER_ROWS_READ.role}`,
      amount: rates.rowsRead,
    }),
    line("d1-rows-written", {
      basis: "measured",
      from: `${forecasts} forecasts × ${LEDGER_ROWS_WRITTEN.forecast}, ${scorings} scorings × ${LEDGER_ROWS_WRITTEN.scoring}, ${scoreRows} hours of scores × ${LEDGER_ROWS_WRITTEN.scoreRow}`,
      amount: rates.rowsWritten,
    }),
    line("d1-storage", {
      basis: "measured",
      from: `${forecasts} forecasts × ${LEDGER_BYTES.forecast} bytes, ${scoreRows} hours of scores × ${LEDGER_BYTES.scoreRow}; a day's, kept for ${DAYS} days`,
      amount: bytes,
    }),
    line("r2-class-b", {
      basis: "assumed",
      from: `${each} × ${models} models × ${FILES_PER_MODEL} files`,
      amount: rates.modelFiles,
    }),
  ];
  const usdPerDay = lines.reduce((total, { usdPerDay }) => total + millionths(usdPerDay), 0) / 1_000_000;
  return { forecastsPerDay: forecasts, markets, models, lines, usdPerDay };
}

function line(id: PricedThing, { basis, from, amount }: Pick<ForecastLine, "basis" | "from"> & { amount: number }): ForecastLine {
  const { what, unit, per, usd } = PRICES[id];
  const usdPerDay = millionths((amount / per) * usd) / 1_000_000;
  const arithmetic = `${amount} / ${per} × ${usd} = ${usdPerDay}`;
  return { id, what, unit, basis, from, perDay: amount, priceUsd: usd, per, usdPerDay, arithmetic };
}

function perDay({ hours }: LedgerUsage, count: number): number {
  return hours === 0 ? 0 : Math.ceil((count * HOURS_PER_DAY) / hours);
}

/** A day's lines are fractions of a cent. */
function millionths(usd: number): number {
  return Math.round(usd * 1_000_000);
}
