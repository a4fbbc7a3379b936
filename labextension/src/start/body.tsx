import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { IGuess } from '../api/shapes';
import { Complaint } from '../parts/button';
import { Field, useId } from '../parts/field';
import { ISurroundings, Surroundings, useSignal, useSurroundings } from '../parts/surroundings';
import { projectMark } from '../text/words';
import { Approval, Brief, Limits, Objective, Proposer } from './fields';
import { StartForm } from './form';

const MOST_SAID = 8;

/** The inside of the dialog "Research this notebook...". */
export class StartBody extends ReactWidget {
  /** @param notebooks what is offered, relative to the server's root. */
  constructor(
    private readonly _surroundings: ISurroundings,
    private readonly _form: StartForm,
    private readonly _notebooks: readonly string[]
  ) {
    super();
    this.addClass('jp-DeepResearch-start');
  }

  dispose(): void {
    this._form.dispose();
    super.dispose();
  }

  protected render(): JSX.Element {
    return (
      <Surroundings.Provider value={this._surroundings}>
        <Whole form={this._form} notebooks={this._notebooks} />
      </Surroundings.Provider>
    );
  }
}

function Whole(props: { form: StartForm; notebooks: readonly string[] }): JSX.Element {
  const { trans, connection } = useSurroundings();
  const { form } = props;
  useSignal(form.changed);
  useSignal(connection.troubled);
  const { guess, wish } = form;
  const fields = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    fields.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [form.refusals]);
  return (
    <div ref={fields}>
      <Notebook {...props} />
      {connection.trouble !== null && (
        <p className="jp-DeepResearch-reconnecting" role="status">
          {trans.__('Reconnecting: %1', connection.trouble)}
        </p>
      )}
      {form.isReading && <p role="status">{trans.__('Reading the notebook...')}</p>}
      {guess !== null && wish !== null && (
        <>
          <There guess={guess} />
          <Objective form={form} guess={guess} wish={wish} />
          <Approval form={form} guess={guess} wish={wish} />
          <Limits form={form} guess={guess} wish={wish} />
          <Proposer form={form} guess={guess} wish={wish} />
          <Brief form={form} guess={guess} wish={wish} />
          <Facts guess={guess} />
        </>
      )}
      {form.complaint !== null && <Complaint text={form.complaint} />}
      {form.isStarting && <p role="status">{trans.__('Starting...')}</p>}
    </div>
  );
}

function Notebook(props: { form: StartForm; notebooks: readonly string[] }): JSX.Element {
  const { trans } = useSurroundings();
  const { form, notebooks } = props;
  const offers = useId();
  const none = trans.__('This folder has no notebook. Type the path of one, or open its folder in the file browser.');
  const some = trans.__('Seen here: %1', notebooks.slice(0, MOST_SAID).join(', '));
  const hint = form.path !== '' ? undefined : notebooks.length === 0 ? none : some;
  return (
    <Field label={trans.__('Notebook')} error={form.problems.notebook} hint={hint}>
      {ties => (
        <>
          <input
            {...ties}
            className="jp-mod-styled"
            list={offers}
            aria-required
            spellCheck={false}
            placeholder={trans.__('folder/train.ipynb')}
            value={form.path}
            onChange={event => form.choose(event.target.value)}
          />
          <datalist id={offers}>
            {notebooks.map(path => (
              <option key={path} value={path} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** A folder that is a project already is taken up, not begun anew. */
function There(props: { guess: IGuess }): JSX.Element | null {
  const { trans, projects } = useSurroundings();
  const row = props.guess.project === null ? null : projects.get(props.guess.project);
  if (props.guess.project === null) {
    return null;
  }
  const state = row === null ? '' : ` (${projectMark(row.state, trans).word})`;
  return (
    <p className="jp-DeepResearch-there">
      {trans.__('This folder is a project already%1. Start goes on with it, with what you change here.', state)}
    </p>
  );
}

/** What a person should know before a start, folded where it is long. */
function Facts(props: { guess: IGuess }): JSX.Element {
  const { trans } = useSurroundings();
  const { guess } = props;
  return (
    <div className="jp-DeepResearch-facts">
      {guess.kernel !== null && <p>{trans.__('Runs use the kernel %1.', guess.kernel)}</p>}
      <p>
        {guess.space.length > 0
          ? trans.__('Searched: %1', guess.space.join(', '))
          : trans.__('No parameter is searched.')}
      </p>
      {guess.remarks.map(remark => (
        <p key={remark}>{remark}</p>
      ))}
    </div>
  );
}
