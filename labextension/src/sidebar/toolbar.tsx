import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Filter, FILTERS } from '../experiments/filter';
import { View } from '../experiments/rows';
import { useSurroundings } from '../parts/surroundings';
import { decisionWord } from '../text/words';

/** How the experiments are arranged, and which of them are shown. */
export function Toolbar(props: {
  view: View;
  onView: (view: View) => void;
  filter: Filter;
  onFilter: (filter: Filter) => void;
  counts: ReadonlyMap<Filter, number>;
  text: string;
  onText: (text: string) => void;
}): JSX.Element {
  const { trans } = useSurroundings();
  const views: readonly [View, string][] = [
    ['tree', trans.__('Tree')],
    ['newest', trans.__('Newest')],
    ['best', trans.__('Best')]
  ];
  const word = (filter: Filter): string => {
    const others = { all: trans.__('All'), open: trans.__('Without verdict') };
    return filter === 'all' || filter === 'open' ? others[filter] : decisionWord(filter, trans);
  };
  const filters = FILTERS.filter(filter => props.counts.has(filter) || filter === props.filter);
  return (
    <div className="jp-DeepResearch-toolbar" role="group" aria-label={trans.__('Which experiments')}>
      <input
        type="search"
        className="jp-mod-styled"
        aria-label={trans.__('Search the experiments')}
        placeholder={trans.__('Words, or #12')}
        title={trans.__('In claims, reasons, changes, verdicts and lessons')}
        value={props.text}
        onChange={event => props.onText(event.target.value)}
      />
      <HTMLSelect
        aria-label={trans.__('Order')}
        value={props.view}
        onChange={event => props.onView(event.target.value as View)}
      >
        {views.map(([view, label]) => (
          <option key={view} value={view}>
            {label}
          </option>
        ))}
      </HTMLSelect>
      <HTMLSelect
        aria-label={trans.__('Verdict')}
        value={props.filter}
        onChange={event => props.onFilter(event.target.value as Filter)}
      >
        {filters.map(filter => (
          <option key={filter} value={filter}>
            {`${word(filter)} (${props.counts.get(filter) ?? 0})`}
          </option>
        ))}
      </HTMLSelect>
    </div>
  );
}
