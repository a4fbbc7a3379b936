import { ISignal, Signal } from '@lumino/signaling';

import { Unreachable } from '../api/client';
import { Connection } from './connection';
import { Soon } from './soon';

const AGAIN_MS = 500;

/**
 * The last answer to one question, kept up to date while somebody looks at it. An answer that nobody looks at is only
 * noted to be old: nothing is asked for it.
 */
export class Answer<T> {
  /** @param everyMs how often it is asked anew while somebody looks, given the last answer; null: only when told to. */
  constructor(
    private readonly _connection: Connection,
    private readonly _question: () => Promise<T>,
    private readonly _everyMs: (value: T | null) => number | null = () => null
  ) {
    this._soon = new Soon(() => this._onShown(), AGAIN_MS);
    _connection.refreshed.connect(this.expire, this);
    _connection.shown.connect(this._onShown, this);
  }

  /** Null until the first answer; the last good one after that. */
  get value(): T | null {
    return this._value;
  }

  /** What the server refused the last question with; null otherwise. */
  get error(): string | null {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isWatched(): boolean {
    return this._watchers > 0;
  }

  /** Look at it from now on, until the function answered is called. */
  watch(): () => void {
    this._watchers += 1;
    if (this._isOld) {
      void this._fetch();
    }
    let isOver = false;
    return () => {
      this._watchers -= isOver ? 0 : 1;
      isOver = true;
      if (this._watchers === 0) {
        window.clearTimeout(this._timer);
        this._isOld = this._isOld || this._everyMs(this._value) !== null;
      }
    };
  }

  /** The answer may be old now. */
  expire(): void {
    this._isOld = true;
    if (this.isWatched) {
      this._soon.ask();
    }
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    this._soon.cancel();
    Signal.clearData(this);
  }

  private async _fetch(): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    if (this._isAsking) {
      this._isOld = true; // What comes may have been read before the change.
      return;
    }
    this._isAsking = true;
    this._isOld = false;
    try {
      const value = await this._connection.ask(this._question);
      this._value = value;
      this._error = null;
    } catch (error) {
      this._isOld = this._isOld || error instanceof Unreachable; // The connection says when to ask again.
      this._error = error instanceof Unreachable ? this._error : (error as Error).message;
    } finally {
      this._isAsking = false;
    }
    if (!this._isDisposed) {
      this._changed.emit();
      this._goOn();
    }
  }

  private _goOn(): void {
    window.clearTimeout(this._timer);
    if (!this.isWatched || this._connection.trouble !== null) {
      return;
    }
    if (this._isOld) {
      this._soon.ask();
      return;
    }
    const every = this._everyMs(this._value);
    if (every !== null) {
      this._timer = window.setTimeout(() => this._again(), every);
    }
  }

  private _again(): void {
    this._isOld = true;
    this._onShown();
  }

  /** A hidden page asks for nothing; what is old then is asked for once it is seen again. */
  private _onShown(): void {
    if (this.isWatched && this._isOld && this._connection.isVisible) {
      void this._fetch();
    }
  }

  private readonly _soon: Soon;
  private readonly _changed = new Signal<this, void>(this);
  private _value: T | null = null;
  private _error: string | null = null;
  private _watchers = 0;
  private _isOld = true;
  private _isAsking = false;
  private _isDisposed = false;
  private _timer = 0;
}
