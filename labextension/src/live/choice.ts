import { ISignal, Signal } from '@lumino/signaling';

import { remember, remembered } from './drafts';

/** Which project the sidebar shows: the one chosen last in this browser. */
export class Choice {
  /** Null where none was ever chosen. */
  get project(): string | null {
    return this._project;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  choose(project: string): void {
    if (project !== this._project) {
      remember('project', project);
      this._project = project;
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _project = remembered('project');
}
