import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';

import { Commands } from '../ids';
import { IExperiment, IFork, ITaken } from '../api/shapes';
import { Unreachable } from '../api/client';
import { ISurroundings } from '../parts/surroundings';
import { askSeeds } from './asking';
import { say } from './said';

/** Which experiment of which project. */
export interface IWhich {
  project: string;
  experiment: number;
}

/** Do it; where it cannot be done, a notification says why, in the server's words. */
export async function orSay(surroundings: ISurroundings, what: () => Promise<void>): Promise<void> {
  try {
    await what();
  } catch (reason) {
    const { message } = reason as Error;
    const isAway = reason instanceof Unreachable;
    say(isAway ? surroundings.trans.__('The server does not answer: %1', message) : message, 'error');
  }
}

/** A path relative to the server's root; null where the project lies outside of it. */
export function pathOf(surroundings: ISurroundings, project: string, path: string): string | null {
  const place = surroundings.projects.get(project)?.place ?? null;
  return place === null ? null : PathExt.join(place, path);
}

/** A file of a project in the main area. */
export async function openFile(surroundings: ISurroundings, project: string, path: string): Promise<void> {
  const found = pathOf(surroundings, project, path);
  if (found === null) {
    throw new Error(surroundings.trans.__('%1 lies outside of the folder that Jupyter serves', path));
  }
  await open(surroundings, found);
}

async function open(surroundings: ISurroundings, path: string): Promise<void> {
  try {
    await surroundings.commands.execute('docmanager:open', { path });
  } catch (error) {
    // Mostly it was moved or deleted by hand.
    throw new Error(surroundings.trans.__('%1 cannot be opened: %2', path, (error as Error).message));
  }
}

function asked(surroundings: ISurroundings, which: IWhich): Promise<IExperiment> {
  const path = `projects/${which.project}/experiments/${which.experiment}`;
  return surroundings.connection.ask(client => client.get<IExperiment>(path));
}

/** Its executed notebook in the main area; its details where it has none. */
export async function openNotebook(surroundings: ISurroundings, which: IWhich): Promise<void> {
  const { notebook } = await asked(surroundings, which);
  if (notebook === null) {
    await surroundings.commands.execute(Commands.showExperiment, { ...which });
    return;
  }
  await openFile(surroundings, which.project, notebook);
}

/** The next hypotheses grow from it; where they do already, from the champion again. */
export async function branch(surroundings: ISurroundings, which: IWhich): Promise<void> {
  const { trans } = surroundings;
  const project = surroundings.project(which.project);
  const isBack = project.status.value?.branch === which.experiment;
  await project.tell({ kind: 'branch', experiment: isBack ? null : which.experiment });
  const said = isBack
    ? trans.__('The next hypotheses grow from the champion again.')
    : trans.__('The next hypotheses grow from experiment %1.', which.experiment);
  say(said);
}

/** Its notebook, its files and its patch, in a folder of their own. */
export async function take(surroundings: ISurroundings, which: IWhich): Promise<void> {
  const { trans } = surroundings;
  const taken = await surroundings.project(which.project).make<ITaken>(which.experiment, 'take');
  const { place, patch } = taken;
  const link = (label: string, does: () => Promise<void>): Notification.IAction => ({
    label,
    callback: () => void orSay(surroundings, does)
  });
  const shown = (path: string): Promise<void> => open(surroundings, PathExt.join(place ?? '', path));
  const all = [
    link(trans.__('Open notebook'), () => shown(taken.notebook)),
    ...(patch === null ? [] : [link(trans.__('Open patch'), () => shown(patch))]),
    link(trans.__('Show folder'), () => surroundings.commands.execute('filebrowser:open-path', { path: place }))
  ];
  const actions = place === null ? [] : all;
  const where = place ?? taken.folder;
  const said = [trans.__('Experiment %1 is in %2.', which.experiment, where), ...taken.notes].join(' ');
  say(said, 'success', actions);
}

/** Further runs of it, with seeds that it has not had; asks how many where `seeds` is not given. */
export async function reproduce(surroundings: ISurroundings, which: IWhich, seeds: number | null): Promise<void> {
  const { trans } = surroundings;
  const row = await asked(surroundings, which);
  const eachS = row.elapsed_s === null || row.seeds === 0 ? null : row.elapsed_s / row.seeds;
  const wanted = seeds ?? (await askSeeds(which.experiment, eachS, trans));
  if (wanted === null) {
    return;
  }
  const { experiment } = which;
  await surroundings.project(which.project).tell({ kind: 'reproduce', experiment, seeds: wanted });
  say(trans._n('Experiment %2 runs with one more seed.', 'Experiment %2 runs with %1 more seeds.', wanted, experiment));
}

/** A copy of its notebook to be edited by hand, opened. */
export async function fork(surroundings: ISurroundings, which: IWhich): Promise<void> {
  const { trans } = surroundings;
  const made = await surroundings.project(which.project).make<IFork>(which.experiment, 'fork');
  const path = made.place ?? pathOf(surroundings, which.project, made.notebook);
  if (path !== null) {
    await open(surroundings, path);
  }
  const args = { ...which, notebook: made.notebook };
  const callback = (): void => void surroundings.commands.execute(Commands.handBack, args);
  const said = trans.__('Experiment %1 is yours to edit in %2.', which.experiment, path ?? made.notebook);
  const actions: Notification.IAction[] = [{ label: trans.__('Hand back...'), displayType: 'accent', callback }];
  say([said, ...made.notes].join(' '), 'success', actions);
}
