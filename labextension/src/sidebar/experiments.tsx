import * as React from 'react';

import { counts, Filter, passing } from '../experiments/filter';
import { IFound, useFound } from '../experiments/found';
import { IBranch } from '../experiments/lineage';
import { rowsOf, View } from '../experiments/rows';
import { remember, remembered } from '../live/drafts';
import { Project } from '../live/project';
import { Button, Complaint } from '../parts/button';
import { VirtualList } from '../parts/list';
import { Section } from '../parts/section';
import { useAnswer, useDraft, useSignal, useSurroundings, useWatch } from '../parts/surroundings';
import { ExperimentRow, ROW } from './row';
import { Toolbar } from './toolbar';

const MOST = 10 * ROW;
const RESTING_MS = 60;
const VIEW = 'experiments:view';

/** Every experiment of the project: as the tree of which grew from which, or as a list, narrowed as a person wishes. */
export function Experiments(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const { history } = props.project;
  useSignal(history.changed);
  const count = history.columns.size;
  return (
    <Section name="experiments" title={trans.__('Experiments')} summary={count > 0 ? count : undefined}>
      <Inside project={props.project} />
    </Section>
  );
}

function Inside(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const { history } = props.project;
  useSignal(history.changed);
  useWatch(history);
  if (!history.isKnown) {
    const { error } = history;
    return error === null ? <p>{trans.__('Reading the experiments...')}</p> : <Complaint text={error} />;
  }
  return (
    <>
      {history.error !== null && <Complaint text={history.error} />}
      {history.columns.size === 0 ? (
        <p>{trans.__('None yet. The first one is the baseline: your notebook as it is.')}</p>
      ) : (
        <Narrowed project={props.project} />
      )}
    </>
  );
}

/** The toolbar and the rows that it lets through. */
function Narrowed(props: { project: Project }): JSX.Element {
  const { project } = props;
  const { version, all } = project.history.columns;
  const [view, setView] = React.useState<View>((remembered(VIEW) as View | null) ?? 'tree');
  const [filter, setFilter] = React.useState<Filter>('all');
  const [text, setText, forget] = useDraft(`search:${project.id}`);
  const found = useFound(project, text);
  const among = React.useMemo(
    () => passing(all, filter, found.experiments),
    [project, version, filter, found.experiments]
  );
  const numbers = React.useMemo(() => counts(all), [project, version]);
  const choose = (chosen: View): void => {
    remember(VIEW, chosen);
    setView(chosen);
  };
  const home = React.useRef<HTMLDivElement>(null);
  const showAll = (): void => {
    home.current?.querySelector('input')?.focus(); // the button goes
    setFilter('all');
    forget();
  };
  return (
    <div className="jp-DeepResearch-experiments" ref={home}>
      <Toolbar
        view={view}
        onView={choose}
        filter={filter}
        onFilter={setFilter}
        counts={numbers}
        text={text}
        onText={setText}
      />
      <Said found={found} among={among} onAll={showAll} />
      <Rows project={project} view={view} among={among} asked={`${filter} ${text}`} />
    </div>
  );
}

/** What the search and the filter came to. */
function Said(props: {
  found: IFound;
  among: ReadonlySet<number> | null;
  onAll: () => void;
}): JSX.Element | null {
  const { trans } = useSurroundings();
  const { found, among } = props;
  if (found.error !== null) {
    return <Complaint text={found.error} />;
  }
  const count = among?.size ?? 0;
  const said = found.isMore
    ? trans.__('%1 of the latest that were found', count)
    : trans._n('%1 experiment', '%1 experiments', count);
  return (
    <p className="jp-DeepResearch-hits" role="status">
      {found.isSearching ? trans.__('Searching...') : among !== null && said}
      {among !== null && <Button onClick={props.onAll}>{trans.__('Show all')}</Button>}
    </p>
  );
}

function Rows(props: {
  project: Project;
  view: View;
  among: ReadonlySet<number> | null;
  /** What they were narrowed by, in any words: other words open all branches again. */
  asked: string;
}): JSX.Element {
  const { trans, projects, connection } = useSurroundings();
  const { project, view, among } = props;
  const { columns } = project.history;
  useSignal(connection.troubled);
  const status = useAnswer(project.status);
  const overview = projects.get(project.id);
  const champion = (status ?? overview)?.champion?.experiment ?? null;
  const direction = status?.objective.direction ?? overview?.direction ?? 'maximize';
  const waiting = new Set(overview?.waiting);
  const [closed, toggle] = useClosed(props.asked);
  const [active, setActive] = React.useState<number | null>(null);
  const rows = React.useMemo(
    () => rowsOf(columns.all, { view, champion, direction, closed, among }),
    [project, columns.version, view, champion, direction, closed, among]
  );
  const want = useWanting(project, rows, columns.version, connection.trouble);
  const at = React.useMemo(() => rows.findIndex(row => row.experiment === active), [rows, active]);
  return (
    <VirtualList
      key={`${view} ${props.asked}`} // other rows are looked at from the top
      label={trans.__('Experiments of %1', overview?.project ?? project.id)}
      count={rows.length}
      rowHeight={ROW}
      maxHeight={MOST}
      keyOf={index => rows[index].experiment}
      onRange={want}
      render={index => (
        <ExperimentRow
          project={project}
          branch={rows[index]}
          isTree={view === 'tree'}
          isChampion={rows[index].experiment === champion}
          isBranch={rows[index].experiment === status?.branch}
          isWaiting={waiting.has(rows[index].experiment)}
          live={status?.running.find(run => run.experiment === rows[index].experiment) ?? null}
          metric={status?.objective.metric ?? null}
          isActive={index === Math.max(0, at)}
          onActive={() => setActive(rows[index].experiment)}
          onToggle={toggle}
        />
      )}
    />
  );
}

/** The branches that a person has closed, forgotten once other rows are asked for. */
function useClosed(asked: string): [ReadonlySet<number>, (experiment: number) => void] {
  const [kept, keep] = React.useState<{ asked: string; closed: ReadonlySet<number> }>({ asked, closed: new Set() });
  const none = React.useMemo(() => new Set<number>(), [asked]);
  const closed = kept.asked === asked ? kept.closed : none;
  const toggle = (experiment: number): void => {
    const changed = new Set(closed);
    if (!changed.delete(experiment)) {
      changed.add(experiment);
    }
    keep({ asked, closed: changed });
  };
  return [closed, toggle];
}

/** Has the rows in sight fetched, of a moving list once it rests; anew when one has changed or the server is back. */
function useWanting(
  project: Project,
  rows: readonly IBranch[],
  version: number,
  trouble: string | null
): (start: number, end: number) => void {
  const timer = React.useRef(0);
  React.useEffect(() => () => window.clearTimeout(timer.current), []);
  return React.useCallback(
    (start, end) => {
      const numbers = rows.slice(start, end).map(row => row.experiment);
      const want = (): void => project.history.want(numbers);
      if (timer.current === 0) {
        want(); // It has rested: the first rows need not wait.
      }
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => {
        timer.current = 0;
        want();
      }, RESTING_MS);
    },
    [project, rows, version, trouble]
  );
}
