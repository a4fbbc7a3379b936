import * as React from 'react';

import { IOverview } from '../api/shapes';
import { VirtualList } from '../parts/list';
import { Section } from '../parts/section';
import { Spark } from '../parts/spark';
import { useSurroundings } from '../parts/surroundings';
import { figure, measured } from '../text/figures';
import { projectMark } from '../text/words';

const ROW = 28;
const SEEN = 6;
const SEARCHED_FROM = 9;

/** All projects in rows of one line. An only project needs no list: the header says the same. */
export function ProjectList(props: {
  all: readonly IOverview[];
  chosen: string;
  onChoose: (id: string) => void;
}): JSX.Element | null {
  const { trans } = useSurroundings();
  const { all } = props;
  const [typed, search] = React.useState('');
  const text = all.length >= SEARCHED_FROM ? typed : ''; // what cannot be seen narrows nothing
  const found = React.useMemo(() => matching(all, text), [all, text]);
  if (all.length < 2) {
    return null;
  }
  return (
    <Section name="projects" title={trans.__('Projects')} summary={String(all.length)}>
      {all.length >= SEARCHED_FROM && <Search text={text} found={found.length} onType={search} />}
      {found.length > 0 && (
        <div className="jp-DeepResearch-projects">
          <VirtualList
            label={trans.__('Projects')}
            count={found.length}
            rowHeight={ROW}
            maxHeight={SEEN * ROW}
            keyOf={index => found[index].id}
            render={index => {
              const row = found[index];
              return <Row row={row} isChosen={row.id === props.chosen} onChoose={() => props.onChoose(row.id)} />;
            }}
          />
        </div>
      )}
    </Section>
  );
}

function Search(props: { text: string; found: number; onType: (text: string) => void }): JSX.Element {
  const { trans } = useSurroundings();
  const { text, found } = props;
  return (
    <div className="jp-DeepResearch-search">
      <input
        type="search"
        className="jp-mod-styled"
        placeholder={trans.__('Name, folder or state')}
        aria-label={trans.__('Search the projects')}
        value={text}
        onChange={event => props.onType(event.target.value)}
      />
      <span role="status" className="jp-DeepResearch-hint">
        {text.trim() === ''
          ? ''
          : found === 0
            ? trans.__('No project has all of these words.')
            : trans._n('%1 project', '%1 projects', found)}
      </span>
    </div>
  );
}

/** Those of which each word is found in the name, the folder, the metric or the state, in any case. */
function matching(all: readonly IOverview[], text: string): readonly IOverview[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const said = (row: IOverview): string => `${row.project} ${row.path} ${row.metric} ${row.state}`.toLowerCase();
  return words.length === 0 ? all : all.filter(row => words.every(word => said(row).includes(word)));
}

function Row(props: { row: IOverview; isChosen: boolean; onChoose: () => void }): JSX.Element {
  const { trans } = useSurroundings();
  const { row } = props;
  const mark = projectMark(row.state, trans);
  const best = row.champion ?? row.baseline;
  const waiting = row.waiting.length;
  const said = [
    row.project,
    waiting > 0 ? trans._n('%1 hypothesis waiting for you', '%1 hypotheses waiting for you', waiting) : mark.word,
    best && trans.__('%1 %2', row.metric, measured(best.value, best.interval))
  ];
  return (
    <button
      type="button"
      className="jp-DeepResearch-project"
      aria-current={props.isChosen || undefined}
      aria-label={said.filter(Boolean).join(', ')}
      title={`${row.path}\n${mark.word}: ${row.reason}`}
      onClick={props.onChoose}
    >
      <span className="jp-DeepResearch-mark" data-tone={mark.tone}>
        <span>{mark.shape}</span>
      </span>
      <span className="jp-DeepResearch-name">{row.project}</span>
      {waiting > 0 && <span className="jp-DeepResearch-count">{waiting}</span>}
      <Spark values={row.spark} level={row.champion?.value ?? null} height={18} />
      <span className="jp-DeepResearch-figure">{figure(best?.value)}</span>
    </button>
  );
}
