import { Event, ServiceManager } from '@jupyterlab/services';
import { Throttler } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { CHANGED, fetchProjects, IProject } from './api';

const REFETCH_MS = 500;
const RETRY_MS = 5000;

/**
 * What the sidebar shows, always fetched whole: an event only says that something changed, so a lost one costs nothing
 * but a moment.
 */
export class ProjectsModel {
  constructor(services: ServiceManager.IManager) {
    this._services = services;
    this._refetch = new Throttler(() => this.refresh(), { limit: REFETCH_MS, edge: 'trailing' });
    services.events.stream.connect(this._onEvent, this);
    services.connectionFailure.connect(this._onConnectionFailure, this);
    document.addEventListener('visibilitychange', this._onVisible);
  }

  /** Null until the first answer. */
  get projects(): IProject[] | null {
    return this._projects;
  }

  /** Why the shown projects may be old; null while they are fresh. */
  get error(): string | null {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  async refresh(): Promise<void> {
    this._stale = false;
    window.clearTimeout(this._retry);
    try {
      this._projects = await fetchProjects(this._services.serverSettings);
      this._error = null;
    } catch (reason) {
      this._fail(reason);
    }
    this._emit();
  }

  dispose(): void {
    this._disposed = true;
    window.clearTimeout(this._retry);
    this._refetch.dispose();
    document.removeEventListener('visibilitychange', this._onVisible);
    Signal.clearData(this);
  }

  private _onEvent(_: Event.IManager, event: Event.Emission): void {
    if (event.schema_id !== CHANGED) {
      return;
    }
    // A hidden page still gets events: it notes them and fetches once when it is looked at again.
    if (document.visibilityState === 'hidden') {
      this._stale = true;
    } else {
      void this._refetch.invoke();
    }
  }

  private _onConnectionFailure(_: unknown, reason: Error): void {
    this._fail(reason);
    this._emit();
  }

  private _fail(reason: unknown): void {
    this._error = reason instanceof Error ? reason.message : String(reason);
    window.clearTimeout(this._retry);
    if (!this._disposed) {
      // Nothing tells when the server is back, so ask.
      this._retry = window.setTimeout(() => void this.refresh(), RETRY_MS);
    }
  }

  private _emit(): void {
    if (!this._disposed) {
      this._changed.emit();
    }
  }

  private readonly _onVisible = (): void => {
    if (this._stale && document.visibilityState === 'visible') {
      void this.refresh();
    }
  };

  private readonly _services: ServiceManager.IManager;
  private readonly _refetch: Throttler;
  private readonly _changed = new Signal<this, void>(this);
  private _projects: IProject[] | null = null;
  private _error: string | null = null;
  private _stale = false;
  private _disposed = false;
  private _retry = 0;
}
