/**
 * Several datasets made from the same events, row by row beside each other: the rows that all of them have, by market, source and time. Models of
 * different feature sets are then fitted and scored on the very same rows.
 *
 * What it refuses: sets that differ in their targets, their kind of label or their interval; a row whose move is another in another set, since then
 * they are not of the same events; and a second that a set holds twice.
 */

import { type LabelKind, labelKindOf } from "../../core/labels/moves.ts";
import type { OutputColumn } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { windowEnds } from "../engine/row-source.ts";

export interface AlignedSet {
  /** Of its features: "v2". */
  readonly id: string;
  readonly dataset: Dataset;
  /** [rows] where each aligned row lies in it. */
  readonly rows: Uint32Array;
}

export interface AlignedData {
  /** What the comparison is about: whatever names no set of its own reads this one. */
  readonly main: AlignedSet;
  readonly sets: ReadonlyMap<string, AlignedSet>;
  readonly rows: number;
  /** [rows] */
  readonly times: Float64Array;
  /** [rows] index into `markets`. */
  readonly marketOf: Uint32Array;
  readonly markets: readonly string[];
  readonly columns: readonly OutputColumn[];
  /** [rows, outputs] bps; 0 where there is none. */
  readonly targets: Float32Array;
  /** [rows, outputs] 1 where every set has the move. */
  readonly mask: Uint8Array;
  readonly intervalMs: number;
  readonly label: LabelKind;
}

/** Moves are worked out from the same prices by the same code: what differs by more is another move. */
const SAME_MOVE_BPS = 1e-9;

/**
 * @param datasets the first is the one that the comparison is about.
 * @param windows the longest history, in rows, that a model wants of each feature set; rows without it are left out.
 */
export function alignDatasets(datasets: readonly Dataset[], windows: ReadonlyMap<string, number> = new Map()): AlignedData {
  const [first] = datasets;
  if (first === undefined) throw new CommandError("there is no dataset to compare on: name one with --data");
  for (const other of datasets.slice(1)) refuseUnlike(first, other);
  const ids = datasets.map(({ card }) => card.featureSet.id);
  const twice = ids.find((id, place) => ids.indexOf(id) !== place);
  if (twice !== undefined) throw new CommandError(`two datasets have the features ${twice}: one of each is compared on`);
  const places = datasets.map((dataset) => placesOf(dataset, windows.get(dataset.card.featureSet.id) ?? 1));
  const keys = [...(places[0] as Map<string, number>).keys()].filter((key) => places.every((place) => place.has(key)));
  if (keys.length === 0) throw new CommandError(`${ids.join(" and ")} have no row in common: make them from the same events`);
  const sets = datasets.map((dataset, index) => ({
    id: ids[index] as string,
    dataset,
    rows: Uint32Array.from(keys, (key) => places[index]?.get(key) as number),
  }));
  return joined(sets as [AlignedSet, ...AlignedSet[]]);
}

function joined(sets: readonly [AlignedSet, ...AlignedSet[]]): AlignedData {
  const [main] = sets;
  const { dataset } = main;
  const { outputs, card } = dataset;
  const rows = main.rows.length;
  const targets = new Float32Array(rows * outputs);
  const mask = new Uint8Array(rows * outputs).fill(1);
  for (let row = 0; row < rows; row++) {
    for (let output = 0; output < outputs; output++) {
      const cell = row * outputs + output;
      const known = sets.filter((set) => set.dataset.mask[(set.rows[row] as number) * outputs + output] === 1);
      if (known.length < sets.length) mask[cell] = 0;
      else targets[cell] = sameMove(sets, row, output);
    }
  }
  const names = [...new Set(card.parts.map(({ market }) => market))];
  return {
    main,
    sets: new Map(sets.map((set) => [set.id, set])),
    rows,
    times: Float64Array.from(main.rows, (row) => dataset.times[row] as number),
    marketOf: Uint32Array.from(main.rows, (row) => names.indexOf(card.parts[dataset.parts[row] as number]?.market ?? "")),
    markets: names,
    columns: card.targets,
    targets,
    mask,
    intervalMs: card.intervalMs,
    label: labelKindOf(card),
  };
}

function sameMove(sets: readonly AlignedSet[], row: number, output: number): number {
  const moves = sets.map(({ dataset, rows }) => dataset.targets[(rows[row] as number) * dataset.outputs + output] as number);
  const [move = 0] = moves;
  const other = moves.findIndex((each) => Math.abs(each - move) > SAME_MOVE_BPS);
  if (other < 0) return move;
  const time = new Date(sets[0]?.dataset.times[sets[0].rows[row] as number] as number).toISOString();
  throw new CommandError(
    `at ${time} a move is ${move} bps in ${sets[0]?.id} and ${moves[other]} in ${sets[other]?.id}: they are not made from the same events`,
  );
}

/** Row number by market, source and time, in the order of the rows. */
function placesOf(dataset: Dataset, window: number): Map<string, number> {
  const places = new Map<string, number>();
  const { card, parts, times } = dataset;
  const whole = windowEnds(dataset.segments, window);
  for (const row of whole) {
    const part = card.parts[parts[row] as number];
    const key = `${part?.market} ${part?.source} ${times[row]}`;
    if (places.has(key)) throw new CommandError(`${card.featureSet.id} holds ${key} twice: name each recording once`);
    places.set(key, row);
  }
  return places;
}

function refuseUnlike(first: Dataset, other: Dataset): void {
  const told = ({ card }: Dataset): string[] => [
    card.targets.map(({ target, horizonMs }) => `${target}@${horizonMs}`).join(" "),
    labelKindOf(card),
    `rows of ${card.intervalMs} ms`,
  ];
  const [own, theirs] = [told(first), told(other)];
  const at = own.findIndex((text, place) => text !== theirs[place]);
  if (at < 0) return;
  throw new CommandError(
    `${first.card.featureSet.id} has ${own[at]}, ${other.card.featureSet.id} has ${theirs[at]}: make both with the same options of \`edgebook dataset\``,
  );
}

/**
 * The same data, in which the targets of these rows are gone: who learns from it can't have seen them. The sets' own targets, which are those of more rows,
 * are gone altogether.
 */
export function blindfolded(data: AlignedData, rows: Uint32Array): AlignedData {
  const outputs = data.columns.length;
  const [targets, mask] = [data.targets.slice(), data.mask.slice()];
  for (const row of rows) {
    targets.fill(0, row * outputs, (row + 1) * outputs);
    mask.fill(0, row * outputs, (row + 1) * outputs);
  }
  const sets = new Map([...data.sets].map(([id, set]) => [id, withoutTargets(set)]));
  return { ...data, main: sets.get(data.main.id) ?? withoutTargets(data.main), sets, targets, mask };
}

function withoutTargets(set: AlignedSet): AlignedSet {
  return { ...set, dataset: { ...set.dataset, targets: new Float64Array(), mask: new Uint8Array() } };
}
