import { ISignal, Signal } from '@lumino/signaling';

import { Unreachable } from '../api/client';
import { IOverview, ProjectState } from '../api/shapes';
import { Connection, IChange } from './connection';
import { Soon } from './soon';

const AGAIN_MS = 500;
const FEW = 20;

/** What wants a person comes first, what is at rest last. */
const ORDER: readonly ProjectState[] = ['waiting_approval', 'failed', 'running', 'paused', 'stopped', 'finished'];

/** One light row for each of the server's projects. An event asks anew for the row of its project alone. */
export class Projects {
  constructor(private readonly _connection: Connection) {
    this._soon = new Soon(() => void this._fetch(), AGAIN_MS);
    _connection.changed.connect(this._onChange, this);
    _connection.refreshed.connect(this._onRefreshed, this);
    void this._fetch();
  }

  /** Null until the first answer. Those that wait for a person first, else as the server has them, the latest first. */
  get all(): readonly IOverview[] | null {
    return this._sorted;
  }

  get error(): string | null {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** How many hypotheses wait for a person, in all projects. */
  get waiting(): number {
    return (this._sorted ?? []).reduce((sum, project) => sum + project.waiting.length, 0);
  }

  get(id: string): IOverview | null {
    return this._rows.get(id) ?? null;
  }

  dispose(): void {
    this._soon.cancel();
    Signal.clearData(this);
  }

  private _onChange(_: Connection, change: IChange): void {
    this._old.add(change.project);
    this._soon.ask();
  }

  private _onRefreshed(): void {
    this._isAllOld = true;
    this._soon.ask();
  }

  private async _fetch(): Promise<void> {
    if (this._isAsking) {
      this._soon.ask(); // What comes may have been read before the change.
      return;
    }
    this._isAsking = true;
    const isAll = this._isAllOld || this._old.size > FEW;
    const asked = isAll ? [null] : [...this._old];
    this._isAllOld = false;
    this._old.clear();
    try {
      for (const project of asked) {
        this._take(await this._connection.ask(c => c.get<IOverview[]>('overview', { project })), project);
      }
      this._error = null;
    } catch (error) {
      // The connection tells when to ask again.
      this._isAllOld = true;
      this._error = error instanceof Unreachable ? this._error : (error as Error).message;
    }
    this._isAsking = false;
    this._sort();
    this._changed.emit();
  }

  private _take(found: readonly IOverview[], asked: string | null): void {
    if (asked === null) {
      this._rows.clear();
    } else if (found.length === 0) {
      this._rows.delete(asked);
    }
    found.forEach(row => this._rows.set(row.id, row));
    this._isKnown = true;
  }

  private _sort(): void {
    const rank = (row: IOverview): number => (row.waiting.length > 0 ? -1 : ORDER.indexOf(row.state));
    const newest = [...this._rows.values()].reverse();
    this._sorted = this._isKnown ? newest.sort((a, b) => rank(a) - rank(b)) : null;
  }

  private readonly _soon: Soon;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _rows = new Map<string, IOverview>();
  private readonly _old = new Set<string>();
  private _sorted: readonly IOverview[] | null = null;
  private _error: string | null = null;
  private _isAllOld = true;
  private _isKnown = false;
  private _isAsking = false;
}
