import { ReactWidget } from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';
import * as React from 'react';

import { Project } from '../live/project';
import { ISurroundings, Surroundings } from '../parts/surroundings';
import { Whole } from './experiment';

/** What may be shown first. `champion` is the change against the champion. */
export type Part = 'facts' | 'change' | 'champion' | 'curves';

/** One experiment, in the main area. */
export class ExperimentWidget extends ReactWidget {
  constructor(
    private readonly _surroundings: ISurroundings,
    readonly project: Project,
    readonly experiment: number
  ) {
    super();
    this.addClass('jp-DeepResearch');
    this.addClass('jp-DeepResearch-main');
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.node.tabIndex = 0;
  }

  /** Bring a part into sight. */
  bring(part: Part | null): void {
    this._part = part;
    this._asked.emit();
  }

  protected render(): JSX.Element {
    return (
      <Surroundings.Provider value={this._surroundings}>
        <Whole project={this.project} experiment={this.experiment} part={() => this._part} asked={this._asked} />
      </Surroundings.Provider>
    );
  }

  private _part: Part | null = null;
  private readonly _asked = new Signal<this, void>(this);
}
