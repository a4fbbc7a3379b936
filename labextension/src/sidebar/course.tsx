import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ICurves, IRun, IStatus } from '../api/shapes';
import { Answer } from '../live/answer';
import { Project } from '../live/project';
import { Curves, ILine } from '../parts/curves';
import { useAnswer, useSurroundings } from '../parts/surroundings';

/** The live curve over the champion's: of the objective, where it is reported step by step, or of another metric. */
export function Course(props: { run: IRun; status: IStatus; project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const { run, status, project } = props;
  const names = Object.keys(run.latest?.values ?? {});
  const objective = status.objective.metric;
  const [wanted, want] = React.useState<string | null>(null);
  const usual = names.includes(objective) || names.length === 0 ? objective : names[0];
  const metric = wanted !== null && names.includes(wanted) ? wanted : usual;
  const champion = status.champion?.experiment ?? null;
  const own = useCurve(project, run.experiment, run.run, metric, true);
  const best = useCurve(project, champion, null, metric, false);
  const lines: ILine[] = [{ name: trans.__('now'), points: own?.series[metric] ?? [], tone: 'live' }];
  if (champion !== null && champion !== run.experiment) {
    const points = best?.series[metric] ?? [];
    lines.unshift({ name: trans.__('champion #%1', champion), points, tone: 'plain', isDashed: true });
  }
  return (
    <div>
      {names.length > 1 ? (
        <HTMLSelect
          aria-label={trans.__('Metric of the curve of experiment %1', run.experiment)}
          value={metric}
          onChange={event => want(event.target.value)}
        >
          {names.map(name => (
            <option key={name}>{name}</option>
          ))}
        </HTMLSelect>
      ) : (
        <span className="jp-DeepResearch-hint">{metric}</span>
      )}
      <Curves lines={lines} label={trans.__('%1 by step', metric)} height={72} />
    </div>
  );
}

function useCurve(
  project: Project,
  experiment: number | null,
  run: string | null,
  metric: string,
  isLive: boolean
): ICurves | null {
  const answer = React.useMemo<Answer<ICurves>>(
    () => project.curves(experiment ?? 0, run === null ? { metric } : { run, metric }, () => isLive),
    [project, experiment, run, metric, isLive]
  );
  React.useEffect(() => () => answer.dispose(), [answer]);
  return useAnswer(answer, experiment !== null);
}
