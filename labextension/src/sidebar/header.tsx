import * as React from 'react';

import { IOverview } from '../api/shapes';
import { Project } from '../live/project';
import { useAnswer } from '../parts/surroundings';
import { measured } from '../text/figures';

export function Header(props: { row: IOverview; project: Project }): JSX.Element {
  const { row } = props;
  const status = useAnswer(props.project.status);
  return (
    <div className="jp-DeepResearch-header">
      <p>{status?.reason ?? row.reason}</p>
      <p>{row.champion && measured(row.champion.value, row.champion.interval)}</p>
    </div>
  );
}
