import * as React from 'react';

import { ISettings } from '../api/shapes';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { Section } from '../parts/section';
import { useAnswer, useSurroundings } from '../parts/surroundings';
import { ApprovalForm } from './approval';
import { BudgetForm } from './budget';

/** What may be changed while a project is at work: who decides, and the budgets. */
export function Settings(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Section name="settings" title={trans.__('Settings')} isOpenAtFirst={false}>
      <Whole project={props.project} />
    </Section>
  );
}

function Whole(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const { project } = props;
  const settings = useAnswer(project.settings);
  const { error } = project.settings;
  if (settings === null) {
    return error === null ? <p>{trans.__('Reading the settings...')}</p> : <Complaint text={error} />;
  }
  return (
    <>
      {error !== null && <Complaint text={error} />}
      <ApprovalForm project={project} settings={settings} />
      <BudgetForm project={project} settings={settings} />
      <Others settings={settings} />
    </>
  );
}

function Others(props: { settings: ISettings }): JSX.Element {
  const { trans } = useSurroundings();
  const { researcher, max_parallel, seeds } = props.settings;
  return (
    <>
      <h4>{trans.__('Researcher')}</h4>
      <p>{researcher.sentence}</p>
      <p className="jp-DeepResearch-hint">
        {trans._n('%1 run at once', '%1 runs at once', max_parallel)},{' '}
        {trans._n('%1 seed to confirm a champion.', '%1 seeds to confirm a champion.', seeds)}{' '}
        {trans.__('More is set in deepresearch.toml, and holds from the next start.')}
      </p>
    </>
  );
}
