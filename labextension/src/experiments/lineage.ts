import { IPoint } from '../live/columns';

/** Which experiments grew from which. */
export interface ILineage {
  /** Those that grew from none, as the person's own notebook. */
  roots: readonly number[];
  /** What grew directly from an experiment: the champion's line first, then the newest first. */
  children: ReadonlyMap<number, readonly number[]>;
  /** The champion and all that it grew from. */
  line: ReadonlySet<number>;
}

/** One experiment of the tree as a row. */
export interface IBranch {
  experiment: number;
  /** How many generations lie between it and its root. */
  depth: number;
  /** How many of those that are shown grew from it, directly or not. */
  below: number;
  isOpen: boolean;
  /** It is here only because something below it was asked for. */
  isContext: boolean;
}

/** @param points oldest first. */
export function lineage(points: readonly IPoint[], champion: number | null): ILineage {
  const parents = new Map(points.map(point => [point.experiment, point.parent]));
  const children = new Map<number, number[]>();
  const roots: number[] = [];
  for (let i = points.length - 1; i >= 0; i -= 1) {
    const { experiment, parent } = points[i];
    // An experiment grows from an earlier one; anything else would make a circle.
    if (parent === null || parent >= experiment || !parents.has(parent)) {
      roots.push(experiment);
    } else {
      append(children, parent, experiment);
    }
  }
  const line = lineOf(champion, parents);
  const lineFirst = (numbers: number[]): number[] =>
    numbers.sort((a, b) => Number(line.has(b)) - Number(line.has(a)));
  children.forEach(lineFirst);
  return { roots: lineFirst(roots), children, line };
}

function append(children: Map<number, number[]>, parent: number, experiment: number): void {
  const found = children.get(parent);
  if (found === undefined) {
    children.set(parent, [experiment]);
  } else {
    found.push(experiment);
  }
}

function lineOf(champion: number | null, parents: ReadonlyMap<number, number | null>): ReadonlySet<number> {
  const line = new Set<number>();
  let next = champion;
  while (next !== null && parents.has(next) && !line.has(next)) {
    line.add(next);
    next = parents.get(next) ?? null;
  }
  return line;
}

/**
 * The tree as rows from top to bottom, without what lies under a closed branch.
 *
 * @param among those that were asked for; their ancestors are rows too, as context. Null: all.
 */
export function flattened(
  tree: ILineage,
  isClosed: (experiment: number) => boolean,
  among: ReadonlySet<number> | null
): readonly IBranch[] {
  const below = countBelow(tree, among);
  const rows: IBranch[] = [];
  // Not by recursion: a line may be thousands of generations long.
  const waiting = tree.roots.map(experiment => ({ experiment, depth: 0 })).reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { experiment, depth } = next;
    const count = below.get(experiment);
    if (count === undefined) {
      continue;
    }
    const isOpen = !isClosed(experiment);
    rows.push({ experiment, depth, below: count, isOpen, isContext: among !== null && !among.has(experiment) });
    const children = isOpen && count > 0 ? tree.children.get(experiment) ?? [] : [];
    for (let i = children.length - 1; i >= 0; i -= 1) {
      waiting.push({ experiment: children[i], depth: depth + 1 });
    }
  }
  return rows;
}

/** For each experiment that is shown, how many of those asked for lie below it. */
function countBelow(tree: ILineage, among: ReadonlySet<number> | null): ReadonlyMap<number, number> {
  const shown = new Map<number, number>();
  const waiting = [...tree.roots];
  const order: number[] = [];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    order.push(next);
    tree.children.get(next)?.forEach(child => waiting.push(child));
  }
  for (let i = order.length - 1; i >= 0; i -= 1) {
    const experiment = order[i];
    const found = (tree.children.get(experiment) ?? []).filter(child => shown.has(child));
    const count = found.reduce((sum, n) => sum + (shown.get(n) ?? 0) + Number(among?.has(n) ?? true), 0);
    if (found.length > 0 || (among?.has(experiment) ?? true)) {
      shown.set(experiment, count);
    }
  }
  return shown;
}
