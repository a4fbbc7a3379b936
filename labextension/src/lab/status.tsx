import { ReactWidget } from '@jupyterlab/ui-components';
import { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import * as React from 'react';

import { Commands } from '../ids';
import { IOverview } from '../api/shapes';
import { laterChanged } from '../live/later';
import { useSignal } from '../parts/surroundings';
import { figure } from '../text/figures';
import { projectMark } from '../text/words';
import { due, onDue } from './due';
import { ILab } from './lab';

const SHOWN_CHARS = 24;

/** The project that matters most, in a few words in the status bar; pressed, the sidebar shows it. */
export function addStatus(lab: ILab): void {
  const item = new StatusItem(lab);
  const active = new Signal<StatusItem, void>(item);
  let wasActive = false;
  onDue(lab.surroundings, () => {
    if (wasActive !== item.isActive) {
      wasActive = item.isActive;
      active.emit();
    }
  });
  lab.statusBar?.registerStatusItem('jupyter-deepresearch:status', {
    item,
    align: 'left',
    rank: 500,
    isActive: () => item.isActive,
    activeStateChanged: active
  });
}

class StatusItem extends ReactWidget {
  constructor(private readonly _lab: ILab) {
    super();
    this.addClass('jp-DeepResearch-status');
  }

  get isActive(): boolean {
    return (this._lab.surroundings.projects.all?.length ?? 0) > 0;
  }

  protected render(): JSX.Element {
    return <Line lab={this._lab} />;
  }
}

function Line(props: { lab: ILab }): JSX.Element | null {
  const { projects, trans, commands } = props.lab.surroundings;
  [projects.changed, laterChanged].forEach(useSignal);
  const row = foremost(projects.all ?? []);
  if (row === null) {
    return null;
  }
  const [text, mark] = [words(row, trans), projectMark(row.state, trans)];
  return (
    <button
      type="button"
      title={trans.__('%1: %2', row.project, row.reason)}
      aria-label={trans.__('Deep Research, %1', text)}
      onClick={() => void commands.execute(Commands.open, { project: row.id })}
    >
      <span aria-hidden="true">{due(row).length > 0 ? '?' : mark.shape}</span> {text}
    </button>
  );
}

/** What waits for the person, else what is at work, else what failed, else the latest. */
function foremost(rows: readonly IOverview[]): IOverview | null {
  const looks: readonly ((row: IOverview) => boolean)[] = [
    row => due(row).length > 0,
    row => row.state === 'running',
    row => row.state === 'failed',
    row => row.state === 'paused'
  ];
  const found = looks.map(look => rows.find(look)).find(row => row !== undefined);
  return found ?? rows[0] ?? null;
}

/** "digits: running 12/50, best 0.9822". */
function words(row: IOverview, trans: TranslationBundle): string {
  const name = row.project.length > SHOWN_CHARS ? `${row.project.slice(0, SHOWN_CHARS - 1)}…` : row.project;
  const waiting = due(row).length;
  if (waiting > 0) {
    return trans._n('%2: %1 hypothesis waiting', '%2: %1 hypotheses waiting', waiting, name);
  }
  const cycle = row.cycles === null ? String(row.cycle) : `${row.cycle}/${row.cycles}`;
  const doing = trans.__('%1: %2 %3', name, projectMark(row.state, trans).word, cycle);
  return row.champion === null ? doing : trans.__('%1, best %2', doing, figure(row.champion.value));
}
