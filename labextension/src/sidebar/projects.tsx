import * as React from 'react';

import { IOverview } from '../api/shapes';
import { Mark } from '../parts/mark';
import { VirtualList } from '../parts/list';
import { useSurroundings } from '../parts/surroundings';
import { projectMark } from '../text/words';

const ROW = 28;

export function ProjectList(props: {
  all: readonly IOverview[];
  chosen: string;
  onChoose: (id: string) => void;
}): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <VirtualList
      label={trans.__('Projects')}
      count={props.all.length}
      rowHeight={ROW}
      maxHeight={5 * ROW}
      keyOf={index => props.all[index].id}
      render={index => {
        const row = props.all[index];
        return (
          <button
            className="jp-DeepResearch-project"
            aria-current={row.id === props.chosen || undefined}
            title={row.path}
            onClick={() => props.onChoose(row.id)}
          >
            <span className="jp-DeepResearch-name">{row.project}</span>
            <Mark mark={projectMark(row.state, trans)} />
          </button>
        );
      }}
    />
  );
}
