import * as React from 'react';

import { IOverview, ProjectState } from '../api/shapes';
import { Project } from '../live/project';
import { AskingButton, Button, Trouble, useDoing } from '../parts/button';
import { useSurroundings } from '../parts/surroundings';
import { usd } from '../text/figures';

const AT_WORK: readonly ProjectState[] = ['running', 'waiting_approval'];
const TO_RESUME: readonly ProjectState[] = ['paused', 'stopped', 'failed'];

/** Pause, resume, stop, and what the day has cost. `live`: how many runs a stop would end. */
export function Controls(props: { row: IOverview; state: ProjectState; live: number; project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const doing = useDoing();
  const { row, state, live, project } = props;
  const tell = (kind: 'pause' | 'resume' | 'stop') => () => void doing.run(() => project.tell({ kind }));
  const question =
    live === 0
      ? trans.__('Stop the research?')
      : trans._n('Stop, and end %1 live run?', 'Stop, and end %1 live runs?', live);
  return (
    <>
      <div className="jp-DeepResearch-buttons">
        {AT_WORK.includes(state) && (
          <Button label={trans.__('Pause %1', row.project)} isBusy={doing.isBusy} onClick={tell('pause')}>
            {trans.__('Pause')}
          </Button>
        )}
        {TO_RESUME.includes(state) && (
          <Button
            kind="accept"
            label={trans.__('Resume %1', row.project)}
            isBusy={doing.isBusy}
            onClick={tell('resume')}
          >
            {trans.__('Resume')}
          </Button>
        )}
        {(AT_WORK.includes(state) || state === 'paused') && (
          <AskingButton
            question={question}
            yes={trans.__('Stop')}
            label={trans.__('Stop %1', row.project)}
            isBusy={doing.isBusy}
            onYes={tell('stop')}
          >
            {trans.__('Stop')}
          </AskingButton>
        )}
        <span
          className="jp-DeepResearch-today"
          title={trans._n('%1 call to a language model today', '%1 calls to a language model today', row.calls_today)}
        >
          {trans.__('%1 today', usd(row.usd_today))}
        </span>
      </div>
      <Trouble doing={doing} />
    </>
  );
}
