import { Signal } from '@lumino/signaling';
import * as React from 'react';

import { Project } from '../live/project';
import { Panel } from '../parts/panel';
import { ISurroundings } from '../parts/surroundings';
import { Whole } from './experiment';

/** What may be shown first. `champion` is the change against the champion. */
export type Part = 'facts' | 'change' | 'champion' | 'curves';

/** A wish for a part; asked for again it is another wish. */
export interface IAsked {
  part: Part | null;
}

/** One experiment, in the main area. */
export class ExperimentWidget extends Panel {
  constructor(
    surroundings: ISurroundings,
    readonly project: Project,
    readonly experiment: number
  ) {
    super(surroundings);
    this.addClass('jp-DeepResearch-main');
    this.node.tabIndex = 0;
  }

  /** Bring a part into sight. */
  bring(part: Part | null): void {
    this._asked = { part };
    this._changed.emit();
  }

  protected draw(): JSX.Element {
    const { project, experiment } = this;
    return <Whole {...{ project, experiment }} asked={() => this._asked} changed={this._changed} />;
  }

  private _asked: IAsked = { part: null };
  private readonly _changed = new Signal<this, void>(this);
}
