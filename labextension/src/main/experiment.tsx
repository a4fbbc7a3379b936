import { ISignal } from '@lumino/signaling';
import * as React from 'react';

import { Commands } from '../ids';
import { IExperiment } from '../api/shapes';
import { Project } from '../live/project';
import { Button, Complaint } from '../parts/button';
import { Mark } from '../parts/mark';
import { useAnswer, useSignal, useSurroundings } from '../parts/surroundings';
import { difference, measured } from '../text/figures';
import { experimentMark } from '../text/words';
import { useQuestion, usePoint } from './asked';
import { Changes } from './changes';
import { CurvesOver } from './over';
import { Output } from './output';
import { Runs } from './runs';
import { IAsked, Part } from './widget';

const LIVE_MS = 2_000;

/** All of one experiment, from what it claims to what it printed. */
export function Whole(props: {
  project: Project;
  experiment: number;
  asked: () => IAsked;
  /** `asked` answers another wish. */
  changed: ISignal<unknown, void>;
}): JSX.Element {
  const { project, experiment } = props;
  const point = usePoint(project, experiment);
  const status = useAnswer(project.status);
  const path = `projects/${project.id}/experiments/${experiment}`;
  const { connection, trans } = useSurroundings();
  const row = useQuestion(path, () => connection.client.get<IExperiment>(path), point);
  useSignal(props.changed);
  const root = React.useRef<HTMLDivElement>(null);
  const asked = props.asked();
  React.useEffect(() => reveal(root.current, asked.part), [asked, row.value === null]);
  if (row.value === null) {
    return <div>{row.error ? <Complaint text={row.error} /> : <p>{trans.__('Reading the experiment...')}</p>}</div>;
  }
  const isLive = status?.running.some(run => run.experiment === experiment) ?? false;
  const everyMs = isLive ? LIVE_MS : null;
  const champion = status?.champion?.experiment ?? null;
  const shared = { project, experiment, asOf: point, everyMs };
  return (
    <div ref={root}>
      {row.error !== null && <Complaint text={row.error} />}
      <Head project={project} row={row.value} champion={champion} branch={status?.branch ?? null} />
      <CurvesOver {...shared} champion={champion} metric={status?.objective.metric ?? ''} />
      <Changes {...shared} row={row.value} champion={champion} asked={asked} />
      <Runs {...shared} />
      <Output {...shared} />
    </div>
  );
}

function reveal(root: HTMLDivElement | null, part: Part | null): void {
  const name = part === 'champion' ? 'change' : part;
  root?.querySelector(`[data-part="${name}"]`)?.scrollIntoView({ block: 'start' });
}

function Head(props: {
  project: Project;
  row: IExperiment;
  champion: number | null;
  branch: number | null;
}): JSX.Element {
  const { trans } = useSurroundings();
  const { row, project } = props;
  const facts = [
    row.value === null ? null : trans.__('value %1', measured(row.value, row.interval)),
    row.seeds > 0 ? trans._n('%1 seed', '%1 seeds', row.seeds) : null,
    row.delta === null ? null : trans.__('%1 against the champion of its time', difference(row.delta)),
    row.cycle === null ? null : trans.__('cycle %1', row.cycle),
    row.parent === null ? null : trans.__('grew from #%1', row.parent),
    row.experiment === props.champion ? trans.__('the champion') : null,
    row.experiment === props.branch ? trans.__('hypotheses grow from it') : null
  ];
  return (
    <div className="jp-DeepResearch-main-head">
      <h2>
        #{row.experiment} {row.claim}
      </h2>
      <p>
        <Mark mark={experimentMark(row.decision, row.state, trans)} />
        {row.reason !== null && `: ${row.reason}`}
      </p>
      <p className="jp-DeepResearch-hint">{facts.filter(fact => fact !== null).join(' · ')}</p>
      <Actions project={project} row={row} isBranch={row.experiment === props.branch} />
    </div>
  );
}

function Actions(props: { project: Project; row: IExperiment; isBranch: boolean }): JSX.Element {
  const { commands, trans } = useSurroundings();
  const args = { project: props.project.id, experiment: props.row.experiment };
  const offered: readonly [string, string][] = [
    [Commands.openNotebook, trans.__('Open notebook')],
    [Commands.branch, props.isBranch ? trans.__('Grow from the champion again') : trans.__('Branch from here')],
    [Commands.reproduce, trans.__('Reproduce...')],
    [Commands.take, trans.__('Take')],
    [Commands.fork, trans.__('Fork by hand')]
  ];
  const there = offered.filter(([id]) => commands.hasCommand(id) && commands.isEnabled(id, args));
  return (
    <div className="jp-DeepResearch-buttons">
      {there.map(([id, label]) => (
        <Button key={id} onClick={() => void commands.execute(id, args)} title={commands.caption(id, args)}>
          {label}
        </Button>
      ))}
    </div>
  );
}
