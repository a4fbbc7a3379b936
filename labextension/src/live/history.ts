import { ISignal, Signal } from '@lumino/signaling';

import { IExperiment, IPoints } from '../api/shapes';
import { Columns } from '../experiments/columns';
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

  /** Null as long as it is not known whether there are any. */
  get error(): string | null {
    return this._points.error;
  }

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
    const pages = new Set(experiments.filter(n => !this._rows.has(n)).map(n => Math.floor(n / PAGE)));
    pages.forEach(page => void this._fetch(page));
  }

  dispose(): void {
    this._points.dispose();
    Signal.clearData(this);
  }

  private async _more(): Promise<IPoints> {
    const found = await this._connection.client.get<IPoints>(`${this._path}/points`, { after: this.columns.seq });
    this.columns.merge(found).forEach(n => this._rows.delete(n));
    return found;
  }

  private async _fetch(page: number): Promise<void> {
    if (this._onTheWay.has(page)) {
      return;
    }
    this._onTheWay.add(page);
    const query = { after: page * PAGE - 1, limit: PAGE };
    try {
      const rows = await this._connection.ask(c => c.get<IExperiment[]>(`${this._path}/experiments`, query));
      if (this._rows.size > KEPT) {
        this._rows.clear();
      }
      rows.filter(row => Math.floor(row.experiment / PAGE) === page).forEach(row => this._rows.set(row.experiment, row));
    } catch {
      // The rows stay unknown and are wanted again; the connection says what is the matter.
    } finally {
      this._onTheWay.delete(page);
    }
    this._changed.emit();
  }

  private readonly _points: Answer<IPoints>;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _rows = new Map<number, IExperiment>();
  private readonly _onTheWay = new Set<number>();
}
