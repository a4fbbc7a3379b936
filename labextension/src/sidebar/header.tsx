import * as React from 'react';

import { IOverview, IRank, IStatus } from '../api/shapes';
import { Project } from '../live/project';
import { Button, Complaint, Trouble, useDoing } from '../parts/button';
import { ExperimentLink } from '../parts/experiment_link';
import { useFocusKept } from '../parts/focus';
import { Mark } from '../parts/mark';
import { Spark, useSparkLabel } from '../parts/spark';
import { useAnswer, useSurroundings } from '../parts/surroundings';
import { difference, figure, measured } from '../text/figures';
import { projectMark } from '../text/words';
import { Controls } from './controls';

/** The project that is looked at: what it does and why, how good it is, and the buttons that steer it as a whole. */
export function Header(props: { row: IOverview; project: Project }): JSX.Element {
  const { row, project } = props;
  const { trans } = useSurroundings();
  const status = useAnswer(project.status);
  const { className, ...kept } = { className: 'jp-DeepResearch-header', ...useFocusKept<HTMLDivElement>() };
  const { state, reason, cycle, cycles } = status ?? row;
  return (
    <div className={className} {...kept} role="group" aria-label={trans.__('Project %1', row.project)}>
      <div className="jp-DeepResearch-title">
        <h3 title={row.path}>{row.project}</h3>
        <span role="status">
          <Mark mark={projectMark(state, trans)} />
        </span>
        <span className="jp-DeepResearch-cycle" title={trans.__('Cycles of the budget')}>
          <span className="jp-DeepResearch-unseen">{trans.__('cycle')} </span>
          {cycles === null ? cycle : `${cycle}/${cycles}`}
        </span>
      </div>
      {project.status.error !== null && <Complaint text={project.status.error} />}
      <p>{capital(reason)}</p>
      {state === 'finished' && (
        <p className="jp-DeepResearch-hint">
          {trans.__('To go on, raise its budget under Settings, or try an idea of your own.')}
        </p>
      )}
      <Ranks row={row} status={status} project={project.id} />
      <Branch status={status} project={project} />
      <Controls row={row} state={state} live={status?.running.length ?? row.running.length} project={project} />
      <Remarks lines={status?.remarks ?? []} />
    </div>
  );
}

/** The champion, the baseline and all that was measured between them. */
function Ranks(props: { row: IOverview; status: IStatus | null; project: string }): JSX.Element {
  const { trans } = useSurroundings();
  const { row, status } = props;
  const [champion, baseline] = [status?.champion ?? row.champion, status?.baseline ?? row.baseline];
  const level = champion?.value ?? null;
  const label = useSparkLabel(row.spark, row.metric, level);
  return (
    <div className="jp-DeepResearch-ranks">
      <p className="jp-DeepResearch-hint">{useObjective(row, status)}</p>
      {baseline === null && <p>{trans.__('Nothing measured yet: the baseline comes first.')}</p>}
      <div className="jp-DeepResearch-grid">
        {champion && champion.experiment !== baseline?.experiment && (
          <Rank name={trans.__('best')} rank={champion} over={baseline} project={props.project} />
        )}
        {baseline && <Rank name={trans.__('baseline')} rank={baseline} over={null} project={props.project} />}
      </div>
      <Spark values={row.spark} level={level} height={40} label={label} />
    </div>
  );
}

/** "val_accuracy, higher is better, target 0.99, parameters <= 1e6". */
function useObjective(row: IOverview, status: IStatus | null): string {
  const { trans } = useSurroundings();
  const target = status?.objective.target ?? null;
  const parts = [
    row.metric,
    row.direction === 'maximize' ? trans.__('higher is better') : trans.__('lower is better'),
    target === null ? '' : trans.__('target %1', figure(target)),
    ...(status?.objective.constraints ?? [])
  ];
  return parts.filter(Boolean).join(', ');
}

/** "best 0.9822 ±0.0016 #10" and below "3 seeds, baseline +0.041"; the number opens the experiment. */
function Rank(props: { name: string; rank: IRank; over: IRank | null; project: string }): JSX.Element {
  const { trans } = useSurroundings();
  const { rank, over, project, name } = props;
  const seeds = trans._n('%1 seed', '%1 seeds', rank.seeds);
  return (
    <>
      <span>{name}</span>
      <b>{measured(rank.value, rank.interval)}</b>
      <ExperimentLink project={project} experiment={rank.experiment} role={name} title={rank.claim} />
      <span className="jp-DeepResearch-below">
        {over === null ? seeds : trans.__('%1, baseline %2', seeds, difference(rank.value - over.value))}
      </span>
    </>
  );
}

/** Where hypotheses grow from, as long as that is not the champion. */
function Branch(props: { status: IStatus | null; project: Project }): JSX.Element | null {
  const { trans } = useSurroundings();
  const doing = useDoing();
  const branch = props.status?.branch ?? null;
  if (branch === null) {
    return null;
  }
  const again = (): void => void doing.run(() => props.project.tell({ kind: 'branch', experiment: null }));
  return (
    <div className="jp-DeepResearch-branch">
      <p>{trans.__('New hypotheses grow from experiment #%1, as you asked.', branch)}</p>
      <Button label={trans.__('Grow from the champion again')} isBusy={doing.isBusy} onClick={again}>
        {trans.__('Back to the champion')}
      </Button>
      <Trouble doing={doing} />
    </div>
  );
}

/** What was noticed about the notebook and its surroundings. One line is shown, more are folded away. */
function Remarks(props: { lines: readonly string[] }): JSX.Element | null {
  const { trans } = useSurroundings();
  const { lines } = props;
  if (lines.length < 2) {
    return lines.length === 0 ? null : <p className="jp-DeepResearch-hint">{lines[0]}</p>;
  }
  return (
    <details className="jp-DeepResearch-remarks">
      <summary>{trans.__('%1 remarks', lines.length)}</summary>
      <ul>
        {lines.map((line, i) => (
          <li key={i}>{line}</li>
        ))}
      </ul>
    </details>
  );
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
