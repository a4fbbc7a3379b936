import { IOverview } from '../api/shapes';
import { isPutOff, laterChanged } from '../live/later';
import { ISurroundings } from '../parts/surroundings';

/** The hypotheses of a project that want a person's decision now: those that were put off do not. */
export function due(row: IOverview): readonly number[] {
  return row.waiting.filter(hypothesis => !isPutOff(row.id, hypothesis));
}

/** Call back whenever what is due may have changed. */
export function onDue(surroundings: ISurroundings, callback: () => void): void {
  surroundings.projects.changed.connect(callback);
  laterChanged.connect(callback);
}
