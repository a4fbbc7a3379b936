import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { IStatus } from '../api/shapes';
import { Project } from '../live/project';
import { useFocusKept } from '../parts/focus';
import { Section } from '../parts/section';
import { useAnswer, useSignal, useSurroundings } from '../parts/surroundings';
import { LiveRun } from './live_run';

/** What runs at this moment. */
export function Now(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const { status } = props.project;
  useSignal(status.changed);
  const live = status.value?.running.length ?? 0;
  return (
    <Section
      name="now"
      title={trans.__('Now')}
      summary={live === 0 ? trans.__('no run') : trans._n('%1 run', '%1 runs', live)}
    >
      <Runs project={props.project} />
    </Section>
  );
}

function Runs(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const { project } = props;
  const status = useAnswer(project.status);
  const kept = useFocusKept<HTMLDivElement>();
  const live = status?.running ?? [];
  return (
    <div {...kept} role="group" aria-label={trans.__('Live runs')}>
      {status !== null && live.length === 0 && <p className="jp-DeepResearch-hint">{idle(status, trans)}</p>}
      {live.map(run => (
        <LiveRun key={run.run} run={run} status={status as IStatus} project={project} />
      ))}
    </div>
  );
}

/** Why nothing runs, and what to do about it. */
function idle(status: IStatus, trans: TranslationBundle): string {
  switch (status.state) {
    case 'waiting_approval':
      return trans.__('Nothing runs: approve or reject what waits for you above.');
    case 'running':
      return trans.__('Nothing runs at this moment: the next run shows here with its curve.');
    case 'finished':
      return trans.__('Nothing runs: the research is finished.');
    default:
      return trans.__('Nothing runs: press Resume to go on.');
  }
}
