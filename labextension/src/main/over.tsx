import * as React from 'react';

import { ICurves } from '../api/shapes';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { Curves, ILine } from '../parts/curves';
import { Field } from '../parts/field';
import { useSurroundings } from '../parts/surroundings';
import { useQuestion } from './asked';

const POINTS = 400;

/** The experiment's curves over the champion's, one metric at a time. */
export function CurvesOver(props: {
  project: Project;
  experiment: number;
  champion: number | null;
  /** The objective's, which is shown at first. */
  metric: string;
  asOf: unknown;
  everyMs: number | null;
}): JSX.Element {
  const { trans } = useSurroundings();
  const own = useCurves(props.project, props.experiment, props.asOf, props.everyMs);
  const other = props.champion === null || props.champion === props.experiment ? null : props.champion;
  const best = useCurves(props.project, other ?? props.experiment, other, null);
  const [chosen, choose] = React.useState<string | null>(null);
  const names = Object.keys(own.value?.series ?? {});
  const metric = chosen !== null && names.includes(chosen) ? chosen : firstOf(names, props.metric);
  const lines: ILine[] = [];
  if (other !== null && best.value?.series[metric]) {
    const name = trans.__('champion #%1', other);
    lines.push({ name, points: best.value.series[metric], tone: 'plain', isDashed: true });
  }
  if (own.value?.series[metric]) {
    lines.push({ name: `#${props.experiment}`, points: own.value.series[metric], tone: 'live' });
  }
  return (
    <section data-part="curves" aria-label={trans.__('Curves')}>
      <h3>{trans.__('Curves')}</h3>
      {own.error !== null && <Complaint text={own.error} />}
      {own.value !== null && names.length === 0 && <p>{trans.__('Nothing was reported in its runs.')}</p>}
      {names.length > 1 && (
        <Field label={trans.__('Metric')}>
          {ties => (
            <select {...ties} className="jp-mod-styled" value={metric} onChange={e => choose(e.target.value)}>
              {names.map(name => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      {lines.length > 0 && <Curves lines={lines} label={trans.__('%1 by step', metric)} height={220} />}
    </section>
  );
}

function firstOf(names: readonly string[], wanted: string): string {
  return names.includes(wanted) ? wanted : (names[0] ?? '');
}

function useCurves(
  project: Project,
  experiment: number,
  asOf: unknown,
  everyMs: number | null
): ReturnType<typeof useQuestion<ICurves>> {
  const { connection } = useSurroundings();
  const path = `projects/${project.id}/experiments/${experiment}/metrics`;
  return useQuestion(path, () => connection.client.get<ICurves>(path, { points: POINTS }), asOf, everyMs);
}
