import * as React from 'react';

import { IResources, IRun, IStatus } from '../api/shapes';
import { Project } from '../live/project';
import { AskingButton, Button, Trouble, useDoing } from '../parts/button';
import { ExperimentLink } from '../parts/experiment_link';
import { useSignal, useSurroundings } from '../parts/surroundings';
import { bytes, duration, figure, STEP_DIGITS } from '../text/figures';
import { purposeWord } from '../text/words';
import { Course } from './course';
import { Tail } from './tail';

/** One live run: what it tests, how far it is, its curve over the champion's, what it takes, and what it prints. */
export function LiveRun(props: { run: IRun; status: IStatus; project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const { run, status, project } = props;
  const claim = useClaim(project, run);
  const doing = useDoing();
  const [isOpen, open] = React.useState(false);
  const cancel = (): void => void doing.run(() => project.tell({ kind: 'cancel', run: run.run }));
  return (
    <article className="jp-DeepResearch-run" aria-label={trans.__('Experiment %1, seed %2', run.experiment, run.seed)}>
      <p>
        <ExperimentLink project={project.id} experiment={run.experiment} /> {claim}
      </p>
      <p className="jp-DeepResearch-hint">{useProgress(run)}</p>
      <Course run={run} status={status} project={project} />
      <p className="jp-DeepResearch-resources">{useTaken(run.resources)}</p>
      <div className="jp-DeepResearch-buttons">
        <Button
          label={trans.__('Output of experiment %1', run.experiment)}
          isOpen={isOpen}
          onClick={() => open(!isOpen)}
        >
          {trans.__('Output')}
        </Button>
        <AskingButton
          question={trans.__('Cancel it? What it has trained is lost.')}
          yes={trans.__('Cancel the run')}
          label={trans.__('Cancel experiment %1, seed %2', run.experiment, run.seed)}
          isBusy={doing.isBusy}
          onYes={cancel}
        >
          {trans.__('Cancel')}
        </AskingButton>
      </div>
      <Trouble doing={doing} />
      {isOpen && <Tail run={run} project={project} />}
    </article>
  );
}

/** What the experiment claims; it never changes once it runs. */
function useClaim(project: Project, run: IRun): string {
  const { trans } = useSurroundings();
  const { history } = project;
  useSignal(history.changed);
  const row = history.row(run.experiment);
  React.useEffect(() => {
    if (row === undefined) {
      history.want([run.experiment]);
    }
  }, [history, run.experiment, row === undefined]);
  // A row goes and comes back when something is said of it; the claim stays.
  const last = React.useRef('');
  last.current = row?.claim ?? last.current;
  return run.purpose === 'baseline' ? trans.__('the baseline') : last.current;
}

/** "first run, seed 1, step 30, 2 min so far, about 4 min left". */
function useProgress(run: IRun): string {
  const { trans } = useSurroundings();
  const step = run.latest?.step ?? null;
  const parts = [
    purposeWord(run.purpose, trans),
    trans.__('seed %1', run.seed),
    step === null ? '' : trans.__('step %1', figure(step, STEP_DIGITS)),
    run.elapsed_s === null ? '' : trans.__('%1 so far', duration(run.elapsed_s, trans)),
    run.remaining_s === null ? '' : trans.__('about %1 left', duration(run.remaining_s, trans)),
    run.note
  ];
  return parts.filter(Boolean).join(', ');
}

function useTaken(taken: IResources | null): string {
  const { trans } = useSurroundings();
  if (taken === null) {
    return '';
  }
  const parts = [
    taken.cpu_percent === null ? '' : trans.__('CPU %1 %', Math.round(taken.cpu_percent)),
    taken.memory_bytes === null ? '' : trans.__('memory %1', bytes(taken.memory_bytes)),
    taken.gpu_percent === null ? '' : trans.__('GPU %1 %', Math.round(taken.gpu_percent)),
    taken.gpu_memory_bytes === null ? '' : trans.__('GPU memory %1', bytes(taken.gpu_memory_bytes))
  ];
  return parts.filter(Boolean).join(' · ');
}
