import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Guard } from './guard';
import { InSight, ISurroundings, Surroundings } from './surroundings';

/** A widget of ours. While it is folded away, or lies behind another tab, nothing is asked for it. */
export abstract class Panel extends ReactWidget {
  constructor(protected readonly surroundings: ISurroundings) {
    super();
    this.addClass('jp-DeepResearch');
    this.node.dataset.lmSuppressShortcuts = 'true';
  }

  protected onAfterShow(): void {
    this.update();
  }

  protected onAfterHide(): void {
    this.update();
  }

  protected render(): JSX.Element {
    return (
      <Surroundings.Provider value={this.surroundings}>
        <InSight.Provider value={this.isVisible}>
          <Guard>{this.draw()}</Guard>
        </InSight.Provider>
      </Surroundings.Provider>
    );
  }

  protected abstract draw(): JSX.Element;
}
