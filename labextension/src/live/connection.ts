import { Event, ServiceManager } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { Client, Unreachable } from '../api/client';

/** The event that says that a project has changed. */
const CHANGED = 'https://jupyter_deepresearch.dev/events/changed/v1';
const LOOK_MS = 60_000;
const HEARTBEAT_MS = 5_000;
const SLEPT_MS = 20_000;
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** What a `changed` event holds. */
export interface IChange {
  project: string;
  seq: number;
  /** The kind of the event in the project's log. */
  kind: string;
}

/**
 * Whether the server is there, and what it announces. Nothing is announced while the page is hidden: what was missed
 * (by that, by sleep, by a lost server, by another process that writes the log) is said by `refreshed`, after which
 * everything that is looked at has to be asked for anew.
 */
export class Connection {
  constructor(services: ServiceManager.IManager) {
    this.client = new Client(services.serverSettings);
    services.events.stream.connect(this._onEvent, this);
    services.connectionFailure.connect(this._onFailure, this);
    document.addEventListener('visibilitychange', this._onVisible);
    window.addEventListener('online', this._onOnline);
    this._heart = window.setInterval(() => this._beat(), HEARTBEAT_MS);
  }

  readonly client: Client;

  /** Why nothing comes from the server; null while it answers. */
  get trouble(): string | null {
    return this._trouble;
  }

  get isVisible(): boolean {
    return document.visibilityState !== 'hidden';
  }

  /** A project has changed, and the page is looked at. */
  get changed(): ISignal<this, IChange> {
    return this._changed;
  }

  /** Ask anew for whatever is looked at. */
  get refreshed(): ISignal<this, void> {
    return this._refreshed;
  }

  /** The page is looked at again. */
  get shown(): ISignal<this, void> {
    return this._shown;
  }

  /** `trouble` has changed. */
  get troubled(): ISignal<this, void> {
    return this._troubled;
  }

  /** Ask, and note whether the server is there. @throws {Refused | Unreachable} */
  async ask<T>(question: (client: Client) => Promise<T>): Promise<T> {
    try {
      const answer = await question(this.client);
      this._isBack();
      return answer;
    } catch (error) {
      if (error instanceof Unreachable) {
        this._isAway(error.message);
      } else {
        this._isBack();
      }
      throw error;
    }
  }

  /**
   * Ask until the server answers, in whatever words: for what must arrive once.
   *
   * @throws {Refused} and Unreachable where the server is away and it is not `isWanted` any more.
   */
  async insist<T>(question: (client: Client) => Promise<T>, isWanted = (): boolean => true): Promise<T> {
    for (;;) {
      try {
        return await this.ask(question);
      } catch (error) {
        if (!(error instanceof Unreachable) || this._isDisposed) {
          throw error;
        }
        await this._comesBack();
        if (!isWanted()) {
          throw error;
        }
      }
    }
  }

  /** Everything that is looked at is asked for anew, of a hidden page once it is seen again. */
  refresh(): void {
    if (!this.isVisible) {
      this._isStale = true;
      return;
    }
    this._lastLook = Date.now();
    this._refreshed.emit();
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearInterval(this._heart);
    window.clearTimeout(this._retry);
    document.removeEventListener('visibilitychange', this._onVisible);
    window.removeEventListener('online', this._onOnline);
    Signal.clearData(this);
  }

  private _onEvent(_: Event.IManager, event: Event.Emission): void {
    if (event.schema_id !== CHANGED) {
      return;
    }
    this._isBack();
    if (this.isVisible) {
      this._changed.emit(event as unknown as IChange);
    } else {
      this._isStale = true;
    }
  }

  private _onFailure(_: unknown, reason: Error): void {
    this._isAway(reason.message);
  }

  private _isAway(message: string): void {
    if (this._isDisposed) {
      return;
    }
    const wasThere = this._trouble === null;
    this._trouble = message;
    if (wasThere) {
      this._tries = 0;
      this._tryLater();
    }
    this._troubled.emit();
  }

  /** Nothing tells when the server is back, so it is asked, with growing pauses. */
  private _tryLater(): void {
    window.clearTimeout(this._retry);
    const pause = PAUSES_MS[Math.min(this._tries++, PAUSES_MS.length - 1)];
    this._retry = window.setTimeout(() => void this._try(), pause);
  }

  private async _try(): Promise<void> {
    try {
      // A hidden page asks nothing.
      await (this.isVisible ? this._probe() : undefined);
    } catch {
      // Refused: it is there again, and `ask` has noted that.
    }
    if (this._trouble !== null && !this._isDisposed) {
      this._tryLater();
    }
  }

  private async _probe(): Promise<void> {
    await this.ask(client => client.get('overview', { project: '-' }));
  }

  private _isBack(): void {
    if (this._trouble === null || this._isDisposed) {
      return;
    }
    this._trouble = null;
    window.clearTimeout(this._retry);
    this._waiting.splice(0).forEach(go => go());
    this._troubled.emit();
    this.refresh(); // The events of the gap are lost.
  }

  private _comesBack(): Promise<void> {
    return new Promise(go => (this._trouble === null ? go() : this._waiting.push(go)));
  }

  private _beat(): void {
    const now = Date.now();
    const slept = now - this._lastBeat > SLEPT_MS;
    this._lastBeat = now;
    if (this.isVisible && (slept || now - this._lastLook > LOOK_MS)) {
      this.refresh();
    }
  }

  private readonly _onVisible = (): void => {
    if (!this.isVisible) {
      return;
    }
    if (this._trouble !== null) {
      void this._probe().catch(() => undefined);
    } else if (this._isStale || Date.now() - this._lastLook > LOOK_MS) {
      this._isStale = false;
      this.refresh();
    }
    this._shown.emit();
  };

  private readonly _onOnline = (): void => {
    if (this.isVisible) {
      this.refresh();
    }
  };

  private readonly _changed = new Signal<this, IChange>(this);
  private readonly _refreshed = new Signal<this, void>(this);
  private readonly _shown = new Signal<this, void>(this);
  private readonly _troubled = new Signal<this, void>(this);
  private readonly _waiting: (() => void)[] = [];
  private readonly _heart: number;
  private _trouble: string | null = null;
  private _isStale = false;
  private _isDisposed = false;
  private _lastBeat = Date.now();
  private _lastLook = Date.now();
  private _tries = 0;
  private _retry = 0;
}
