import { Debouncer } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { Refused } from '../api/client';
import { IGuess, IStatus } from '../api/shapes';
import { ISurroundings } from '../parts/surroundings';
import { guessed, IWish, likelyDirection, Place, placeOf, problems, Problems, request } from './wish';

const TYPING_MS = 400;

/** The form "Research this notebook...": what was guessed, what was typed, and what is wrong with it. */
export class StartForm {
  constructor(
    private readonly _surroundings: ISurroundings,
    path: string
  ) {
    this._typing = new Debouncer(() => this._read(), TYPING_MS);
    this._path = path;
    if (path !== '') {
      void this._read();
    }
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The notebook, relative to the server's root. */
  get path(): string {
    return this._path;
  }

  /** Null until the notebook was read. */
  get guess(): IGuess | null {
    return this._guess;
  }

  get isReading(): boolean {
    return this._isReading;
  }

  get isStarting(): boolean {
    return this._isStarting;
  }

  get problems(): Problems {
    return this._problems;
  }

  /** What the server refused that no field of the form is to blame for. */
  get complaint(): string | null {
    return this._complaint;
  }

  get wish(): IWish | null {
    if (this._guess === null) {
      return null;
    }
    const wish = { ...guessed(this._guess), ...this._touched };
    return this._touched.metric !== undefined && this._touched.direction === undefined
      ? { ...wish, direction: likelyDirection(this._guess, wish.metric) }
      : wish;
  }

  choose(path: string): void {
    this._path = path;
    this._guess = null;
    this._problems = {};
    this._complaint = null;
    this._isReading = path !== '';
    this._changed.emit();
    void this._typing.invoke();
  }

  write(place: keyof IWish, text: string): void {
    this._touched = { ...this._touched, [place]: text };
    this._surroundings.drafts.set(this._draft, JSON.stringify(this._touched));
    this._problems = { ...this._problems, [place]: undefined };
    this._changed.emit();
  }

  /** Start. The project's status, null where something is wrong, which the form says then. */
  async submit(): Promise<IStatus | null> {
    const { wish, guess } = this;
    if (this._isStarting || wish === null || guess === null) {
      this._askForNotebook();
      return null;
    }
    this._problems = problems(wish, this._surroundings.trans);
    this._complaint = null;
    if (Object.keys(this._problems).length > 0) {
      this._refused();
      return null;
    }
    this._isStarting = true;
    this._changed.emit();
    try {
      const body = request(wish, guess);
      // Who leaves the dialog while the server is away does not start anything later.
      const started = await this._surroundings.telling.insist(
        client => client.post<IStatus>('projects', body),
        () => !this._isDisposed
      );
      this._surroundings.drafts.delete(this._draft);
      return started;
    } catch (error) {
      this._blame(error as Error);
      return null;
    } finally {
      this._isStarting = false;
      this._changed.emit();
    }
  }

  /** How often a start was refused: each time the first field that is wrong wants the focus. */
  get refusals(): number {
    return this._refusals;
  }

  dispose(): void {
    this._typing.dispose();
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private get _draft(): string {
    return `start:${this._path}`;
  }

  private async _read(): Promise<void> {
    const path = this._path;
    this._isReading = path !== '';
    this._changed.emit();
    if (path === '') {
      return;
    }
    try {
      const guess = await this._surroundings.connection.insist(c => c.get<IGuess>('guess', { path }));
      if (path === this._path && !this._isDisposed) {
        this._touched = remembered(this._surroundings.drafts.get(this._draft));
        this._guess = guess;
        this._problems = {};
      }
    } catch (error) {
      if (path === this._path) {
        this._problems = { notebook: (error as Error).message };
      }
    } finally {
      this._isReading = this._isReading && path !== this._path;
      this._changed.emit();
    }
  }

  private _askForNotebook(): void {
    if (this._path === '') {
      this._problems = { notebook: this._surroundings.trans.__('Choose the notebook that is to be researched.') };
      this._refused();
    }
  }

  private _blame(error: Error): void {
    const place: Place | null = error instanceof Refused ? placeOf(error.key) : null;
    if (place === null) {
      this._complaint = error.message;
    } else {
      this._problems = { [place]: error.message };
    }
    this._refused();
  }

  private _refused(): void {
    this._refusals += 1;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _typing: Debouncer;
  private _path: string;
  private _guess: IGuess | null = null;
  private _touched: Partial<IWish> = {};
  private _problems: Problems = {};
  private _complaint: string | null = null;
  private _isReading = false;
  private _isStarting = false;
  private _refusals = 0;
  private _isDisposed = false;
}

function remembered(draft: string | null): Partial<IWish> {
  return draft === null ? {} : (JSON.parse(draft) as Partial<IWish>);
}
