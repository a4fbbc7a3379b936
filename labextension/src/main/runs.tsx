import * as React from 'react';

import { IRunFacts } from '../api/shapes';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { FileLink } from '../lab/file_link';
import { Mark } from '../parts/mark';
import { useSurroundings } from '../parts/surroundings';
import { bytes, duration, figure, UNKNOWN } from '../text/figures';
import { purposeWord, runMark } from '../text/words';
import { useQuestion } from './asked';

/** Every run of the experiment: what it was for, how it ended, what it took. */
export function Runs(props: {
  project: Project;
  experiment: number;
  asOf: unknown;
  everyMs: number | null;
}): JSX.Element {
  const { trans, connection } = useSurroundings();
  const path = `projects/${props.project.id}/experiments/${props.experiment}/runs`;
  const runs = useQuestion(path, () => connection.client.get<IRunFacts[]>(path), props.asOf, props.everyMs);
  const heads = [
    trans.__('Run'),
    trans.__('State'),
    trans.__('Value'),
    trans.__('Time'),
    trans.__('Peak memory'),
    trans.__('Begun'),
    trans.__('Notebook')
  ];
  return (
    <section data-part="facts" aria-label={trans.__('Runs')}>
      <h3>{trans.__('Runs')}</h3>
      {runs.error !== null && <Complaint text={runs.error} />}
      {runs.value?.length === 0 && <p>{trans.__('It has not been run yet.')}</p>}
      {runs.value !== null && runs.value.length > 0 && (
        <div className="jp-DeepResearch-wide" tabIndex={0} role="group" aria-label={trans.__('Table of runs')}>
          <table>
            <thead>
              <tr>
                {heads.map(head => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {runs.value.map(run => (
                <Row key={run.run} run={run} project={props.project.id} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Environment runs={runs.value ?? []} />
    </section>
  );
}

function Row(props: { run: IRunFacts; project: string }): JSX.Element {
  const { trans } = useSurroundings();
  const { run } = props;
  const purpose = purposeWord(run.purpose, trans);
  const attempt = run.attempt > 1 ? `, ${trans.__('attempt %1', run.attempt)}` : '';
  const said = [run.error, run.rule && trans.__('stopped by the rule %1', run.rule), ...run.notes].filter(Boolean);
  return (
    <>
      <tr>
        <th scope="row">{`${purpose}, ${trans.__('seed %1', run.seed)}${attempt}`}</th>
        <td>
          <Mark mark={runMark(run.state, trans)} />
        </td>
        <td>{figure(run.value)}</td>
        <td>{duration(run.elapsed_s, trans)}</td>
        <td>{bytes(run.peak_memory_bytes)}</td>
        <td>{run.started_at === null ? UNKNOWN : new Date(1000 * run.started_at).toLocaleString()}</td>
        <td>
          {run.notebook === null ? (
            UNKNOWN
          ) : (
            <FileLink project={props.project} path={run.notebook}>
              {run.notebook.split('/').pop()}
            </FileLink>
          )}
        </td>
      </tr>
      {said.length > 0 && (
        <tr className="jp-DeepResearch-said">
          <td colSpan={7}>{said.join(' · ')}</td>
        </tr>
      )}
    </>
  );
}

function Environment(props: { runs: readonly IRunFacts[] }): JSX.Element | null {
  const { trans } = useSurroundings();
  const last = [...props.runs].reverse().find(run => Object.keys(run.environment).length > 0);
  if (!last) {
    return null;
  }
  const facts = Object.entries(last.environment).map(([name, version]) => `${name} ${version}`);
  return <p className="jp-DeepResearch-hint">{trans.__('Environment: %1', facts.join(', '))}</p>;
}
