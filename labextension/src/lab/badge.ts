import { Widget } from '@lumino/widgets';

import { SIDEBAR_ID } from '../ids';
import { due, onDue } from './due';
import { ILab } from './lab';

/** The style sheet draws it. */
const DATA = 'deepresearch-waiting';

/** How many hypotheses wait for the person, in all projects: as a number on the sidebar's icon and in its name. */
export function addBadge(lab: ILab): void {
  const { surroundings } = lab;
  onDue(surroundings, () => {
    const waiting = (surroundings.projects.all ?? []).reduce((sum, row) => sum + due(row).length, 0);
    const sidebar = [...lab.app.shell.widgets('left')].find(widget => widget.id === SIDEBAR_ID);
    if (sidebar !== undefined) {
      label(sidebar, waiting, lab);
    }
  });
}

function label(sidebar: Widget, waiting: number, lab: ILab): void {
  const { trans } = lab.surroundings;
  const { [DATA]: _, ...others } = sidebar.title.dataset;
  const count = waiting > 99 ? '99+' : String(waiting);
  sidebar.title.dataset = waiting === 0 ? others : { ...others, [DATA]: count };
  sidebar.title.caption =
    waiting === 0 ? trans.__('Deep Research') : trans.__('Deep Research (%1 waiting for you)', waiting);
}
