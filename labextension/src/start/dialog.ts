import { Dialog } from '@jupyterlab/apputils';

import { IStatus } from '../api/shapes';
import { ISurroundings } from '../parts/surroundings';
import { StartBody } from './body';
import { StartForm } from './form';

/** Asks for what a research needs, and starts it. A refusal is said beside its field, and the dialog stays open. */
export class StartDialog extends Dialog<unknown> {
  /** @param path the notebook, relative to the server's root; empty: one of `notebooks` is asked for. */
  constructor(surroundings: ISurroundings, path: string, notebooks: readonly string[]) {
    const { trans } = surroundings;
    const form = new StartForm(surroundings, path);
    const title = path === '' ? trans.__('Research a notebook') : trans.__('Research this notebook');
    super({
      title,
      body: new StartBody(surroundings, form, notebooks),
      buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: trans.__('Start') })],
      defaultButton: 1,
      focusNodeSelector: 'input'
    });
    this._form = form;
    this.addClass('jp-DeepResearch-dialog');
    this.node.setAttribute('aria-label', title);
  }

  /** The project that was started, once the dialog is closed; null where none was. */
  get started(): IStatus | null {
    return this._started;
  }

  /** Lab's dialog calls this for each of its buttons, and for Enter in a field. */
  resolve(index?: number): void {
    if (index === 0) {
      super.resolve(index);
    } else {
      void this._start();
    }
  }

  private async _start(): Promise<void> {
    const started = await this._form.submit();
    if (started !== null && !this.isDisposed) {
      this._started = started;
      super.resolve(1);
    }
  }

  private readonly _form: StartForm;
  private _started: IStatus | null = null;
}
