import { Dialog, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect, ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Complaint } from '../parts/button';
import { Field } from '../parts/field';
import { duration } from '../text/figures';

const MOST_SEEDS = 100;

/** A form in a dialog. Jupyter itself keeps the accepting button dead while a field of it is `:invalid`. */
class Form<T> extends ReactWidget implements Dialog.IBodyWidget<T> {
  constructor(
    private _value: T,
    private readonly _draw: (value: T, set: (value: T) => void) => JSX.Element
  ) {
    super();
  }

  getValue(): T {
    return this._value;
  }

  protected render(): JSX.Element {
    return this._draw(this._value, value => {
      this._value = value;
      this.update();
    });
  }
}

async function ask<T>(title: string, form: Form<T>, accept: string, trans: TranslationBundle): Promise<T | null> {
  const buttons = [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: accept })];
  const result = await showDialog({ title, body: form, buttons, focusNodeSelector: 'input' });
  return result.button.accept ? result.value : null;
}

/**
 * With how many more seeds an experiment is to be run.
 *
 * @param eachS how long one run of it takes, in seconds; null where that is not known.
 * @returns null where it was left.
 */
export async function askSeeds(
  experiment: number,
  eachS: number | null,
  trans: TranslationBundle
): Promise<number | null> {
  const form = new Form('2', (typed, set) => (
    <Field
      label={trans.__('How many more seeds')}
      error={seeds(typed) === null ? trans.__('a whole number from 1 to %1', MOST_SEEDS) : null}
      hint={cost(seeds(typed) ?? 0, eachS, trans)}
    >
      {ties => (
        <input
          {...ties}
          className="jp-mod-styled"
          type="number"
          min={1}
          max={MOST_SEEDS}
          step={1}
          required
          value={typed}
          onChange={event => set(event.target.value)}
        />
      )}
    </Field>
  ));
  const typed = await ask(trans.__('Reproduce experiment %1', experiment), form, trans.__('Run'), trans);
  return typed === null ? null : seeds(typed);
}

function seeds(typed: string): number | null {
  const found = Number(typed);
  return Number.isInteger(found) && found >= 1 && found <= MOST_SEEDS ? found : null;
}

function cost(count: number, eachS: number | null, trans: TranslationBundle): string {
  if (eachS === null) {
    return trans.__('How long a run takes is not known yet.');
  }
  return trans.__('About %1 in all, %2 a run.', duration(count * eachS, trans), duration(eachS, trans));
}

/** A fork that goes back as a hypothesis. */
export interface IHandedBack {
  /** Relative to the project's folder. */
  notebook: string;
  claim: string;
}

/**
 * Which fork is handed back, and what is claimed of it.
 *
 * @param forks to choose from, relative to the project's folder; not empty.
 * @param refusal why the last try was refused.
 * @param keep is told the claim as it is typed.
 * @returns null where it was left.
 */
export function askFork(
  forks: readonly string[],
  first: IHandedBack,
  refusal: string | null,
  keep: (claim: string) => void,
  trans: TranslationBundle
): Promise<IHandedBack | null> {
  const form = new Form(first, (value, set) => (
    <>
      {refusal !== null && <Complaint text={refusal} />}
      <Field label={trans.__('Claim')} hint={trans.__('What your edit will do, in one sentence that can be wrong.')}>
        {ties => (
          <input
            {...ties}
            className="jp-mod-styled"
            required
            pattern=".*\S.*"
            value={value.claim}
            onChange={event => {
              keep(event.target.value);
              set({ ...value, claim: event.target.value });
            }}
          />
        )}
      </Field>
      <Field label={trans.__('Notebook')}>
        {ties => (
          <HTMLSelect
            {...ties}
            value={value.notebook}
            onChange={event => set({ ...value, notebook: event.target.value })}
          >
            {forks.map(fork => (
              <option key={fork}>{fork}</option>
            ))}
          </HTMLSelect>
        )}
      </Field>
    </>
  ));
  return ask(trans.__('Hand a fork back'), form, trans.__('Hand back'), trans);
}
