import * as React from 'react';

import { ISettings } from '../api/shapes';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { Field } from '../parts/field';
import { Select } from '../parts/select';
import { useSurroundings } from '../parts/surroundings';
import { limitOf, limitProblem } from '../text/limits';
import { SaveButtons, useChanges } from './saving';

const MINUTES = 'auto_after_minutes';

/** Whether hypotheses wait for a person, and how long. */
export function ApprovalForm(props: { project: Project; settings: ISettings }): JSX.Element {
  const { trans } = useSurroundings();
  const { approval } = props.settings;
  const changes = useChanges(props.project, props.settings, 'approval');
  const there = approval.auto_after_minutes === null ? '' : String(approval.auto_after_minutes);
  const mode = changes.typed.mode ?? approval.mode;
  const minutes = changes.typed[MINUTES] ?? there;
  const isAsking = mode === 'ask';
  const problem = isAsking ? limitProblem(MINUTES, minutes, trans) : null;
  const { error } = changes.doing;
  const said = (key: string): string | null => (error?.key === `approval.${key}` ? error.message : null);
  const save = (): void => {
    if (problem !== null) {
      changes.blame();
      return;
    }
    const told = isAsking ? { mode, [MINUTES]: limitOf(minutes) } : { mode };
    void changes.save({ kind: 'configure', approval: told });
  };
  return (
    <fieldset className="jp-DeepResearch-group" ref={changes.home}>
      <legend>{trans.__('Approval')}</legend>
      <Field label={trans.__('Hypotheses')} error={said('mode')}>
        {ties => (
          <Select
            ties={ties}
            value={mode}
            options={[
              ['auto', trans.__('run at once')],
              ['ask', trans.__('wait for me')]
            ]}
            onChoose={value => changes.type('mode', value)}
          />
        )}
      </Field>
      {isAsking && (
        <Field label={trans.__('Approved by themselves after (minutes)')} error={problem ?? said(MINUTES)}>
          {ties => (
            <input
              {...ties}
              className="jp-mod-styled"
              inputMode="decimal"
              placeholder={trans.__('never')}
              value={minutes}
              onChange={event => changes.type(MINUTES, event.target.value)}
            />
          )}
        </Field>
      )}
      {error !== null && said('mode') === null && said(MINUTES) === null && <Complaint text={error.message} />}
      <SaveButtons
        changes={changes}
        isChanged={mode !== approval.mode || (isAsking && minutes.trim() !== there)}
        what={trans.__('the approval')}
        onSave={save}
      />
    </fieldset>
  );
}
