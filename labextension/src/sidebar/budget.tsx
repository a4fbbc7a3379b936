import * as React from 'react';

import { IBudget, ISettings } from '../api/shapes';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { Field } from '../parts/field';
import { amount, Gauge } from '../parts/gauge';
import { useSurroundings } from '../parts/surroundings';
import { budgetWord, limitOf, limitProblem } from '../text/limits';
import { IChanges, SaveButtons, useChanges } from './saving';

/** The budgets, each with what is spent of it. Raising one that is used up lets the project go on. */
export function BudgetForm(props: { project: Project; settings: ISettings }): JSX.Element {
  const { trans } = useSurroundings();
  const { budgets } = props.settings;
  const changes = useChanges(props.project, props.settings, 'budget');
  const changed = budgets.filter(budget => isChanged(budget, changes));
  const keys = budgets.map(budget => `budget.${budget.key}`);
  const { error } = changes.doing;
  const save = (): void => {
    if (changed.some(({ key }) => limitProblem(key, changes.typed[key], trans) !== null)) {
      changes.blame();
      return;
    }
    const told = Object.fromEntries(changed.map(({ key }) => [key, limitOf(changes.typed[key])]));
    void changes.save({ kind: 'configure', budget: told });
  };
  const row = (budget: IBudget): JSX.Element => <Row key={budget.key} budget={budget} changes={changes} />;
  const none = budgets.filter(budget => budget.limit === null);
  return (
    <fieldset className="jp-DeepResearch-group" ref={changes.home}>
      <legend>{trans.__('Budgets')}</legend>
      {budgets.filter(budget => budget.limit !== null).map(row)}
      {none.length > 0 && (
        <details open={none.some(budget => changes.typed[budget.key] !== undefined) || undefined}>
          <summary>
            {none.length < budgets.length ? trans.__('Other limits: none') : trans.__('No limits. Set one')}
          </summary>
          {none.map(row)}
        </details>
      )}
      {error !== null && !keys.includes(error.key ?? '') && <Complaint text={error.message} />}
      <SaveButtons
        changes={changes}
        isChanged={changed.length > 0}
        what={trans.__('the budgets')}
        onSave={save}
      />
    </fieldset>
  );
}

function isChanged(budget: IBudget, changes: IChanges): boolean {
  const typed = changes.typed[budget.key];
  return typed !== undefined && typed.trim() !== shown(budget);
}

function shown(budget: IBudget): string {
  return budget.limit === null ? '' : String(budget.limit);
}

function Row(props: { budget: IBudget; changes: IChanges }): JSX.Element {
  const { trans } = useSurroundings();
  const { budget, changes } = props;
  const { key, limit, spent } = budget;
  const text = changes.typed[key] ?? shown(budget);
  const { error } = changes.doing;
  const refused = error?.key === `budget.${key}` ? error.message : null;
  const isUsedUp = limit !== null && spent !== null && spent >= limit;
  const word = budgetWord(key, trans);
  return (
    <div className="jp-DeepResearch-budget">
      <Field
        label={limit === null && spent ? trans.__('%1 (so far %2)', word, amount(spent)) : word}
        error={limitProblem(key, text, trans) ?? refused}
        hint={isUsedUp ? trans.__('Used up. The project goes on once you raise it.') : undefined}
      >
        {ties => (
          <input
            {...ties}
            className="jp-mod-styled"
            inputMode="decimal"
            placeholder={trans.__('no limit')}
            value={text}
            onChange={event => changes.type(key, event.target.value)}
          />
        )}
      </Field>
      {limit !== null && spent !== null && (
        <Gauge label={trans.__('Spent')} of={word} value={spent} limit={limit} />
      )}
    </div>
  );
}
