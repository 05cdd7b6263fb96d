/**
 * Where everything lies in the memory that all threads share. What binning needs (the values themselves, samples) lies where the boosting's own
 * arrays come afterwards: neither needs the other.
 */

import { CommandError } from "../command-error.ts";
import type { TreeSettings } from "./contract.ts";
import { CREW_BYTES } from "./crew.ts";
import { type Address, MOST_PAGES, PAGE_BYTES } from "./kernel.ts";

/** 256 sums of 64 bits. */
export const COLUMN_HISTOGRAM_BYTES = 2_048;
/** What `splits.ts` of the kernel calls a node, and a candidate, with room to lie alone in a cache line. */
export const NODE_BYTES = 64;
export const CANDIDATE_BYTES = 64;
/** A node of a table that answers for rows: `leaves.ts` of the kernel. */
export const TABLE_NODE_BYTES = 24;
/** Three float64 for each chunk of rows. */
export const SUM_BYTES = 24;
/** Rows whose gradients are one task; fixed, since the sums of float64 are made chunk by chunk. */
export const CHUNK_ROWS = 8_192;
/** The histograms of so many columns stay in a core's nearest caches together. */
const MOST_BLOCK_COLUMNS = 40;
/** With 255 bins, some 400 values a bin: the share of a bin is then known to 5 %. */
const SAMPLE_ROWS = 100_000;
const LEAST_SAMPLE_ROWS = 10_000;
const MOST_SAMPLE_BYTES = 128 << 20;
const VALUE_CHUNK_BYTES = 64 << 20;
/** Counts of the sort's digits. */
const SORT_COUNT_BYTES = 24_576;
/** Of a node, whose contrasts are looked at; as `interactions.ts` of the kernel has it. */
export const LOOK_AHEAD_ROWS = 4_096;
/** Pairs of more columns cost more than the trees. */
const MOST_LOOK_AHEAD_COLUMNS = 512;
/** Float64 for each of 2,048 digits. */
const QUANTILE_SUM_BYTES = 16_384;
/** Below lie the kernel's own constants. */
const FIRST_ADDRESS = PAGE_BYTES;
/** Counts fill 24 bits. */
export const MOST_ROWS = 16_777_215;

export interface PlanShape {
  readonly rows: number;
  readonly columns: number;
  readonly validationRows: number;
  readonly isWeighted: boolean;
  readonly isValidationWeighted: boolean;
  /** Most of any target. */
  readonly outputs: number;
  /** A hessian of its own for each row, with some target. */
  readonly hasHessians: boolean;
}

/** Of one set of rows. */
export interface RowsPlan {
  readonly rows: number;
  readonly targets: Address;
  readonly weights: Address;
  /** [outputs] of `outputBytes` each. */
  readonly answers: Address;
  readonly outputBytes: number;
  /** Bins in columns, `columnBytes` each. */
  readonly columnBins: Address;
  readonly columnBytes: number;
  /** [chunks] of SUM_BYTES. */
  readonly sums: Address;
}

export interface MemoryPlan {
  readonly bytes: number;
  readonly control: Address;
  readonly flags: Address;
  readonly monotone: Address;
  readonly cutCounts: Address;
  readonly cuts: Address;
  readonly training: RowsPlan;
  readonly validation: RowsPlan;
  /** Bins in rows, in blocks of columns. */
  readonly rowBins: Address;
  readonly blocks: number;
  readonly blockColumns: number;
  readonly blockBytes: number;
  readonly sampleRows: number;
  readonly chunkRows: number;
  readonly sample: Address;
  readonly values: Address;
  readonly sorting: readonly Address[];
  readonly gradients: Address;
  /** Written, and never read. */
  readonly validationGradients: Address;
  readonly hessians: Address;
  readonly probabilities: Address;
  readonly rows: readonly [Address, Address];
  readonly quanta: readonly [Address, Address];
  readonly histograms: Address;
  readonly slots: number;
  readonly slotBytes: number;
  readonly candidates: Address;
  /** 32-bit, one for each node or part of a node that is sent on; twice so many bytes. */
  readonly leftCounts: Address;
  readonly leftCountBytes: number;
  /** Float64 pairs, one for each leaf: its value and its rows' weight. */
  readonly leafSums: Address;
  /** Candidates of what is looked ahead at: `slots` of each order. */
  readonly lookedAhead: Address;
  /** Signs of rows, for contrasts of columns: one for each thread; none where nothing is looked at. */
  readonly lookAhead: readonly Address[];
  /** One for each thread. */
  readonly scratch: readonly ScratchPlan[];
}

/** What a thread has for itself. */
export interface ScratchPlan {
  readonly nodes: Address;
  readonly sink: Address;
  readonly active: Address;
  readonly list: Address;
  readonly tables: readonly Address[];
  readonly quantileSums: Address;
}

export function planMemory(shape: PlanShape, settings: Omit<TreeSettings, "objective">): MemoryPlan {
  const { rows, columns, validationRows, outputs } = shape;
  const { threads } = settings;
  let end = FIRST_ADDRESS;
  const take = (bytes: number): Address => {
    const at = end;
    // A cache line more than needed: vectors read past an end, and no two threads write into one line.
    end += Math.ceil(bytes / 64) * 64 + 64;
    return at;
  };
  const leaves = mostLeaves(settings, rows);
  const slots =
    settings.growth.kind === "depth-wise"
      ? Math.min(leaves, 2 ** Math.min(settings.growth.maxDepth - 1, 30))
      : leaves + 2 * mostAhead(threads);
  const control = take(CREW_BYTES);
  const flags = take(columns);
  const monotone = settings.monotone === null ? 0 : take(columns);
  const cutCounts = take(columns * 4);
  const cuts = take(columns * 1_024);
  const rowsPlan = (count: number, isWeighted: boolean): RowsPlan => {
    const outputBytes = Math.ceil(count / 16) * 64 + 64;
    return {
      rows: count,
      targets: take(count * 4),
      weights: isWeighted ? take(count * 4) : 0,
      answers: take(outputBytes * outputs),
      outputBytes,
      columnBytes: Math.ceil(count / 64) * 64 + 64,
      columnBins: take((Math.ceil(count / 64) * 64 + 64) * columns),
      sums: take(Math.ceil(count / CHUNK_ROWS) * SUM_BYTES),
    };
  };
  const training = rowsPlan(rows, shape.isWeighted);
  const validation = rowsPlan(validationRows, shape.isValidationWeighted);
  const blocks = Math.ceil(columns / MOST_BLOCK_COLUMNS);
  const blockColumns = Math.ceil(columns / blocks / 4) * 4;
  const blockBytes = Math.ceil((rows * blockColumns) / 64) * 64 + 64;
  const rowBins = take(blockBytes * blocks);
  const scratch = Array.from({ length: threads }, () => ({
    nodes: take(2 * NODE_BYTES),
    sink: take(64),
    active: take(columns),
    list: take(columns * 4),
    tables: Array.from({ length: outputs }, () => take((2 * leaves - 1) * TABLE_NODE_BYTES)),
    quantileSums: take(QUANTILE_SUM_BYTES),
  }));
  const shared = end;

  const mostSampleRows = Math.max(LEAST_SAMPLE_ROWS, Math.floor(MOST_SAMPLE_BYTES / columns / 4));
  const sampleRows = Math.min(rows, SAMPLE_ROWS, mostSampleRows);
  const chunkRows = Math.max(1, Math.floor(VALUE_CHUNK_BYTES / columns / 4));
  const sample = take(sampleRows * columns * 4);
  const sorting = Array.from({ length: threads }, () => take(3 * (sampleRows * 4 + 64) + SORT_COUNT_BYTES));
  // Rows that are all in the sample are binned from there.
  const copiedRows = Math.max(sampleRows === rows ? 0 : rows, validationRows);
  const values = take(Math.min(chunkRows, copiedRows) * columns * 4);
  const binningEnd = end;

  end = shared;
  const leftCountBytes = Math.ceil((leaves + 2 * threads * threads) / 16) * 64;
  const mayLookAhead = settings.monotone === null && columns > 1 && columns <= MOST_LOOK_AHEAD_COLUMNS;
  const slotBytes = columns * COLUMN_HISTOGRAM_BYTES;
  const plan: MemoryPlan = {
    bytes: 0,
    control,
    flags,
    monotone,
    cutCounts,
    cuts,
    training,
    validation,
    rowBins,
    blocks,
    blockColumns,
    blockBytes,
    sampleRows,
    chunkRows,
    sample,
    values,
    sorting,
    gradients: take(rows * 4),
    validationGradients: take(validationRows * 4),
    hessians: shape.hasHessians ? take(rows * 4) : 0,
    probabilities: outputs > 1 ? take(training.outputBytes * outputs) : 0,
    rows: [take(rows * 4), take(rows * 4)],
    quanta: [take(rows * 8), take(rows * 8)],
    histograms: take(slots * slotBytes),
    slots,
    slotBytes,
    candidates: take(2 * slots * blocks * Math.max(threads, 1) * CANDIDATE_BYTES),
    leftCounts: take(2 * leftCountBytes),
    leftCountBytes,
    leafSums: take(leaves * 16),
    lookedAhead: take(2 * slots * CANDIDATE_BYTES),
    lookAhead: mayLookAhead ? Array.from({ length: threads }, () => take((4 + columns) * 2 * LOOK_AHEAD_ROWS + 4 * columns)) : [],
    scratch,
  };
  const bytes = Math.max(binningEnd, end) + PAGE_BYTES;
  if (bytes > MOST_PAGES * PAGE_BYTES) {
    throw new CommandError(
      `${rows} rows of ${columns} columns with trees of up to ${leaves} leaves need ${(bytes / 2 ** 30).toFixed(1)} GiB, and 4 can be addressed: ` +
        "take fewer rows or columns, or smaller trees",
    );
  }
  return { ...plan, bytes };
}

/** How many leaves are divided at once, some of them ahead of their turn (tree-grower.ts): enough for each thread to have several whole ones. */
export function mostAhead(threads: number): number {
  return threads === 1 ? 1 : 4 * threads;
}

/** No tree has more, whatever is split. */
function mostLeaves({ growth }: Pick<TreeSettings, "growth">, rows: number): number {
  return Math.min(rows, 2 ** Math.min(growth.maxDepth, 30), growth.kind === "leaf-wise" ? growth.maxLeaves : Number.POSITIVE_INFINITY);
}
