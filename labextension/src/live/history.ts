import { ISignal, Signal } from '@lumino/signaling';

import { IExperiment, IPoints } from '../api/shapes';
import { Columns } from './columns';
import { Answer } from './answer';
import { Connection } from './connection';

const PAGE = 50;
const KEPT = 2_000;

/**
 * The experiments of one project: all of them as columns, brought up to date by what changed, and whole rows for those
 * that are looked at, fetched by pages.
 */
export class History {
  constructor(
    private readonly _connection: Connection,
    private readonly _path: string
  ) {
    this._points = new Answer(_connection, () => this._more());
    this._points.changed.connect(() => this._changed.emit());
  }

  readonly columns = new Columns();

  /** What the server refused the last question with; null otherwise. */
  get error(): string | null {
    return this._points.error;
  }

  /** Whether it is known if there are any. */
  get isKnown(): boolean {
    return this._points.value !== null;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  watch(): () => void {
    return this._points.watch();
  }

  /** Something was said of some experiment: what changed is asked for. */
  expire(): void {
    this._points.expire();
  }

  /** The row of an experiment; undefined while it is on its way. */
  row(experiment: number): IExperiment | undefined {
    return this._rows.get(experiment);
  }

  /** See to it that the rows of these experiments are there, soon. */
  want(experiments: readonly number[]): void {
    experiments.forEach(n => this._touch(n));
    const pages = new Set(experiments.filter(n => !this._rows.has(n)).map(n => Math.floor(n / PAGE)));
    pages.forEach(page => void this._fetch(page));
  }

  dispose(): void {
    this._points.dispose();
    Signal.clearData(this);
  }

  private async _more(): Promise<IPoints> {
    const found = await this._connection.client.get<IPoints>(`${this._path}/points`, { after: this.columns.seq });
    this.columns.merge(found).forEach(n => {
      this._rows.delete(n);
      // Its page may be on its way, as it was before.
      this._onTheWay.get(Math.floor(n / PAGE))?.add(n);
    });
    return found;
  }

  /** What is wanted now is forgotten last. */
  private _touch(experiment: number): void {
    const row = this._rows.get(experiment);
    if (row !== undefined) {
      this._rows.delete(experiment);
      this._rows.set(experiment, row);
    }
  }

  private _take(row: IExperiment): void {
    this._rows.set(row.experiment, row);
    if (this._rows.size > KEPT) {
      this._rows.delete(this._rows.keys().next().value as number);
    }
  }

  private async _fetch(page: number): Promise<void> {
    if (this._onTheWay.has(page)) {
      return;
    }
    const changed = new Set<number>();
    this._onTheWay.set(page, changed);
    const query = { after: page * PAGE - 1, limit: PAGE };
    try {
      const rows = await this._connection.ask(c => c.get<IExperiment[]>(`${this._path}/experiments`, query));
      const isOf = (n: number): boolean => Math.floor(n / PAGE) === page && !changed.has(n);
      rows.filter(row => isOf(row.experiment)).forEach(row => this._take(row));
    } catch {
      // The rows stay unknown and are wanted again; the connection says what is the matter.
    } finally {
      this._onTheWay.delete(page);
    }
    this._changed.emit();
    this.want([...changed]);
  }

  private readonly _points: Answer<IPoints>;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _rows = new Map<number, IExperiment>();
  /** The pages on their way, and what has changed of each since it was asked for. */
  private readonly _onTheWay = new Map<number, Set<number>>();
}
