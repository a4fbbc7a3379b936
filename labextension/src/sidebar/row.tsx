import * as React from 'react';

import { Commands } from '../ids';
import { IExperiment, IRun } from '../api/shapes';
import { IPoint } from '../live/columns';
import { IBranch } from '../experiments/lineage';
import { openMenu } from '../lab/menu';
import { Project } from '../live/project';
import { Mark } from '../parts/mark';
import { useSurroundings } from '../parts/surroundings';
import { difference, figure, measured } from '../text/figures';
import { experimentMark, projectMark } from '../text/words';

/** The height of a row in pixels: two lines. */
export const ROW = 40;

const STEP = 8;
const DEEPEST = 6;

interface IRow {
  project: Project;
  branch: IBranch;
  isTree: boolean;
  isChampion: boolean;
  /** Whether hypotheses grow from it by a person's wish. */
  isBranch: boolean;
  /** For a person's word. */
  isWaiting: boolean;
  live: IRun | null;
  metric: string | null;
  /** Whether Tab leads to this row: one of the list does, the arrow keys lead to the others. */
  isActive: boolean;
  onActive: () => void;
  onToggle: (experiment: number) => void;
}

/** One experiment: what it claimed and what came of it. A click opens its executed notebook. */
export function ExperimentRow(props: IRow): JSX.Element | null {
  const surroundings = useSurroundings();
  const { trans, commands } = surroundings;
  const { branch, project } = props;
  const { experiment } = branch;
  const point = project.history.columns.get(experiment);
  if (point === null) {
    return null;
  }
  const row = project.history.row(experiment);
  const which = { project: project.id, experiment };
  const tabIndex = props.isActive ? 0 : -1;
  const menuAt = (at: [number, number]): void => {
    const before = document.activeElement as HTMLElement | null;
    openMenu(surroundings, which, at, () => document.activeElement === document.body && before?.focus());
  };
  const onContextMenu = (event: React.MouseEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    menuAt([event.clientX, event.clientY]);
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const isWanted = event.key === 'ArrowRight' ? !branch.isOpen : event.key === 'ArrowLeft' && branch.isOpen;
    if (branch.below > 0 && isWanted) {
      event.preventDefault();
      props.onToggle(experiment);
    }
  };
  return (
    <div
      className="jp-DeepResearch-experiment"
      data-context={branch.isContext || undefined}
      onContextMenu={onContextMenu}
      onKeyDown={onKeyDown}
      onFocus={props.onActive}
    >
      {props.isTree && <Stem {...props} />}
      <button
        className="jp-DeepResearch-told"
        data-first
        tabIndex={tabIndex}
        title={row && [row.claim, row.reason].filter(Boolean).join('\n')}
        onClick={() => void commands.execute(Commands.openNotebook, which)}
      >
        <Claim {...props} point={point} row={row} />
        <Figures {...props} point={point} row={row} />
      </button>
      <button
        className="jp-DeepResearch-more"
        tabIndex={tabIndex}
        aria-haspopup="menu"
        aria-label={trans.__('Actions for experiment %1', experiment)}
        title={trans.__('Actions for experiment %1', experiment)}
        onClick={event => {
          const { left, bottom } = event.currentTarget.getBoundingClientRect();
          menuAt([left, bottom]);
        }}
      >
        <span aria-hidden="true">⋯</span>
      </button>
    </div>
  );
}

/** How deep it lies, and what opens and closes all that grew from it. */
function Stem(props: IRow): JSX.Element {
  const { trans } = useSurroundings();
  const { depth, below, isOpen, experiment } = props.branch;
  return (
    <>
      <span className="jp-DeepResearch-depth" style={{ width: STEP * Math.min(depth, DEEPEST) }} />
      {below === 0 ? (
        <span className="jp-DeepResearch-leaf" />
      ) : (
        <button
          className="jp-DeepResearch-leaf"
          tabIndex={props.isActive ? 0 : -1}
          aria-expanded={isOpen}
          aria-label={trans._n('%1 that grew from experiment %2', '%1 that grew from experiment %2', below, experiment)}
          title={trans._n('%1 grew from this one', '%1 grew from this one', below)}
          onClick={() => props.onToggle(experiment)}
        >
          <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span>
        </button>
      )}
    </>
  );
}

interface ITold extends IRow {
  point: IPoint;
  /** Undefined while it is on its way. */
  row: IExperiment | undefined;
}

function Claim(props: ITold): JSX.Element {
  const { trans } = useSurroundings();
  const { point, branch, row } = props;
  const saysParent = point.parent !== null && (!props.isTree || branch.depth > DEEPEST);
  return (
    <span className="jp-DeepResearch-claim">
      <b>#{point.experiment}</b>
      {saysParent && (
        <span className="jp-DeepResearch-parent" title={trans.__('grew from experiment %1', point.parent)}>
          ↳{point.parent}
        </span>
      )}
      {props.isChampion && <span className="jp-DeepResearch-tag">{trans.__('best')}</span>}
      {props.isBranch && <span className="jp-DeepResearch-tag">{trans.__('branch')}</span>}
      <span>{row?.claim ?? '…'}</span>
    </span>
  );
}

function Figures(props: ITold): JSX.Element {
  const { trans } = useSurroundings();
  const { point, row, live } = props;
  const { decision, state, value } = point;
  const latest = props.metric === null ? undefined : live?.latest?.values[props.metric];
  const shown = value ?? latest ?? null;
  const mark = props.isWaiting ? projectMark('waiting_approval', trans) : experimentMark(decision, state, trans);
  return (
    <span className="jp-DeepResearch-figures">
      <Mark mark={mark} />
      {shown !== null && <span>{value === null ? figure(shown) : measured(shown, interval(point))}</span>}
      {row !== undefined && row.delta !== null && <span data-delta>{difference(row.delta)}</span>}
    </span>
  );
}

function interval(point: IPoint): [number, number] | null {
  return point.low === null || point.high === null ? null : [point.low, point.high];
}
