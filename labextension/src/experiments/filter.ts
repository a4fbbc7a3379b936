import { Decision } from '../api/shapes';
import { DECISIONS } from '../text/words';
import { IPoint } from '../live/columns';

/** What the history is narrowed to: a verdict, those that are still without one, or all. */
export type Filter = Decision | 'open' | 'all';

export const FILTERS: readonly Filter[] = ['all', 'open', ...DECISIONS];

/** How many experiments each filter would show. */
export function counts(points: readonly IPoint[]): ReadonlyMap<Filter, number> {
  const found = new Map<Filter, number>([['all', points.length]]);
  points.forEach(point => {
    const filter = point.decision ?? 'open';
    found.set(filter, (found.get(filter) ?? 0) + 1);
  });
  return found;
}

/**
 * The experiments that pass, oldest first; null where nothing is asked, so that all do.
 *
 * @param found those that a search has found; null: nothing is searched for.
 */
export function passing(
  points: readonly IPoint[],
  filter: Filter,
  found: ReadonlySet<number> | null
): ReadonlySet<number> | null {
  if (filter === 'all' && found === null) {
    return null;
  }
  const isIn = (point: IPoint): boolean =>
    (filter === 'all' || (point.decision ?? 'open') === filter) && (found === null || found.has(point.experiment));
  return new Set(points.filter(isIn).map(point => point.experiment));
}
