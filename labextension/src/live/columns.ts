import { Decision, IPoints, RunState } from '../api/shapes';

/** What is known of every experiment of a project: enough to filter, to sort and to draw it. */
export interface IPoint {
  experiment: number;
  value: number | null;
  low: number | null;
  high: number | null;
  decision: Decision | null;
  state: RunState;
  measure: number;
  parent: number | null;
}

/** All experiments of a project by number, brought up to date by what changed after a seq. */
export class Columns {
  /** Up to which seq of the log it is complete. */
  get seq(): number {
    return this._seq;
  }

  /** Grows by one with each change: what is made of the points need not be made anew while it stays. */
  get version(): number {
    return this._version;
  }

  get size(): number {
    return this._points.length;
  }

  get(experiment: number): IPoint | null {
    return this._byNumber.get(experiment) ?? null;
  }

  /** Oldest first. */
  get all(): readonly IPoint[] {
    return this._points;
  }

  /** Take what changed in; the numbers of the experiments that did. */
  merge(found: IPoints): readonly number[] {
    found.experiment.forEach((experiment, i) => {
      const point: IPoint = {
        experiment,
        value: found.value[i],
        low: found.low[i],
        high: found.high[i],
        decision: found.decision[i],
        state: found.state[i],
        measure: found.measure[i],
        parent: found.parent[i]
      };
      const place = this._place(experiment);
      this._points.splice(place, Number(this._byNumber.has(experiment)), point);
      this._byNumber.set(experiment, point);
    });
    this._seq = found.seq;
    this._version += found.experiment.length > 0 ? 1 : 0;
    return found.experiment;
  }

  /** Where an experiment is, or belongs: at the end, but for one that waited while a later one began. */
  private _place(experiment: number): number {
    let low = 0;
    let high = this._points.length;
    if (high > 0 && this._points[high - 1].experiment < experiment) {
      return high;
    }
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this._points[middle].experiment < experiment) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private readonly _points: IPoint[] = [];
  private readonly _byNumber = new Map<number, IPoint>();
  private _seq = 0;
  private _version = 0;
}
