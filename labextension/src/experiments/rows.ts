import { Direction } from '../api/shapes';
import { IPoint } from '../live/columns';
import { flattened, IBranch, lineage } from './lineage';

/** As the tree of which grew from which, or as a list. */
export type View = 'tree' | 'newest' | 'best';

/** The experiments as rows from top to bottom. */
export function rowsOf(
  points: readonly IPoint[],
  wish: {
    view: View;
    champion: number | null;
    direction: Direction;
    closed: ReadonlySet<number>;
    /** Null: all. */
    among: ReadonlySet<number> | null;
  }
): readonly IBranch[] {
  const { view, among } = wish;
  if (view === 'tree') {
    return flattened(lineage(points, wish.champion), experiment => wish.closed.has(experiment), among);
  }
  const newest = points.filter(point => among?.has(point.experiment) ?? true).reverse();
  return (view === 'best' ? bestFirst(newest, wish.direction) : newest).map(asRow);
}

function asRow(point: IPoint): IBranch {
  return { experiment: point.experiment, depth: 0, below: 0, isOpen: false, isContext: false };
}

/** Values of an earlier measure, and experiments without one, come last: they are not comparable. */
function bestFirst(newest: readonly IPoint[], direction: Direction): readonly IPoint[] {
  const measure = newest.reduce((latest, point) => Math.max(latest, point.measure), 0);
  const isRanked = (point: IPoint): boolean => point.value !== null && point.measure === measure;
  const sign = direction === 'maximize' ? -1 : 1;
  const ranked = newest.filter(isRanked).sort((a, b) => sign * ((a.value ?? 0) - (b.value ?? 0)));
  return [...ranked, ...newest.filter(point => !isRanked(point))];
}
