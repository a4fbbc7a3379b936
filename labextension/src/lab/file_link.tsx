import * as React from 'react';

import { openFile, orSay, pathOf } from './making';
import { useSurroundings } from '../parts/surroundings';

/** Opens a file of the project; its path alone where the project lies outside of what Jupyter serves. */
export function FileLink(props: { project: string; path: string; children: React.ReactNode }): JSX.Element {
  const surroundings = useSurroundings();
  const { project, path } = props;
  if (pathOf(surroundings, project, path) === null) {
    return <>{path}</>;
  }
  return (
    <button
      type="button"
      className="jp-DeepResearch-link"
      aria-label={surroundings.trans.__('Open %1', path)}
      onClick={() => void orSay(surroundings, () => openFile(surroundings, project, path))}
    >
      {props.children}
    </button>
  );
}
