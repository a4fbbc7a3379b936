import * as React from 'react';

import { Commands } from '../ids';
import { useSurroundings } from './surroundings';

/** "#12", which shows the experiment. */
export function ExperimentLink(props: {
  project: string;
  experiment: number;
  /** What it is, such as "the best". */
  role?: string;
  title?: string;
}): JSX.Element {
  const { trans, commands } = useSurroundings();
  const { project, experiment, role } = props;
  const label =
    role === undefined
      ? trans.__('Show experiment %1', experiment)
      : trans.__('Show experiment %1, the %2', experiment, role);
  return (
    <button
      type="button"
      className="jp-DeepResearch-link"
      title={props.title}
      aria-label={label}
      onClick={() => void commands.execute(Commands.showExperiment, { project, experiment })}
    >
      #{experiment}
    </button>
  );
}
