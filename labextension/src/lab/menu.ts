import { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

import { Commands, EXPERIMENT_ARGUMENTS } from '../ids';
import { IPoint } from '../live/columns';
import { ISurroundings } from '../parts/surroundings';
import { handBack } from './handing';
import { ILab } from './lab';
import { branch, fork, IWhich, openNotebook, orSay, reproduce, take } from './making';

type Does = (which: IWhich, args: ReadonlyPartialJSONObject) => Promise<void>;

/** What can be done with an experiment, as commands. */
export function addMenu(lab: ILab): void {
  const { surroundings } = lab;
  const { trans } = surroundings;
  const add = (id: string, does: Does, options: Omit<CommandRegistry.ICommandOptions, 'execute'>): void => {
    const execute = (args: ReadonlyPartialJSONObject): Promise<void> =>
      orSay(surroundings, () => does(whichOf(args), args));
    lab.app.commands.addCommand(id, { ...options, describedBy: EXPERIMENT_ARGUMENTS, execute });
  };
  add(Commands.openNotebook, which => openNotebook(surroundings, which), {
    label: trans.__('Open Executed Notebook'),
    caption: trans.__('The notebook as it ran, with outputs')
  });
  add(Commands.branch, which => branch(surroundings, which), {
    label: args =>
      isBranch(surroundings, args) ? trans.__('Grow from the Champion Again') : trans.__('Branch from Here'),
    caption: trans.__('Let the next hypotheses grow from this experiment'),
    isEnabled: args => canBranch(surroundings, args)
  });
  add(Commands.take, which => take(surroundings, which), {
    label: trans.__('Take'),
    caption: trans.__('Its notebook, and the patch that makes it of your files')
  });
  add(Commands.reproduce, (which, args) => reproduce(surroundings, which, countOf(args)), {
    label: trans.__('Reproduce...'),
    caption: trans.__('Run it with further seeds'),
    isEnabled: args => wasRun(surroundings, args)
  });
  add(Commands.fork, which => fork(surroundings, which), {
    label: trans.__('Fork by Hand'),
    caption: trans.__('Copy its notebook to forks/ for you to edit')
  });
  add(Commands.handBack, (which, args) => handBack(lab, which.project, notebookOf(args)), {
    label: trans.__('Hand a Fork Back...'),
    caption: trans.__('Try an edited fork as a hypothesis')
  });
}

function countOf(args: ReadonlyPartialJSONObject): number | null {
  return typeof args.seeds === 'number' ? args.seeds : null;
}

function notebookOf(args: ReadonlyPartialJSONObject): string | null {
  return typeof args.notebook === 'string' ? args.notebook : null;
}

/** What is known here of the experiment that is meant; null where nothing is, as the server knows better then. */
function pointOf(surroundings: ISurroundings, args: ReadonlyPartialJSONObject): IPoint | null {
  // Jupyter asks for a command's state without arguments too, of which no project is to be made.
  const { project, experiment } = whichOf(args);
  return args.project === undefined ? null : surroundings.project(project).history.columns.get(experiment);
}

function canBranch(surroundings: ISurroundings, args: ReadonlyPartialJSONObject): boolean {
  const point = pointOf(surroundings, args);
  if (point === null || isBranch(surroundings, args)) {
    return true;
  }
  const status = surroundings.project(whichOf(args).project).status.value;
  const isGrownFrom = status?.branch === null && status.champion?.experiment === point.experiment;
  return point.value !== null && !isGrownFrom;
}

function wasRun(surroundings: ISurroundings, args: ReadonlyPartialJSONObject): boolean {
  const point = pointOf(surroundings, args);
  return point === null || (point.decision !== null && point.decision !== 'rejected');
}

function whichOf(args: ReadonlyPartialJSONObject): IWhich {
  return { project: String(args.project), experiment: Number(args.experiment) };
}

function isBranch(surroundings: ISurroundings, args: ReadonlyPartialJSONObject): boolean {
  const { project, experiment } = whichOf(args);
  return args.project !== undefined && surroundings.project(project).status.value?.branch === experiment;
}

/** The menu of one experiment at a point of the page. `closed` is called once it is gone, whatever was chosen. */
export function openMenu(surroundings: ISurroundings, which: IWhich, at: [number, number], closed: () => void): void {
  const menu = new Menu({ commands: surroundings.commands });
  const args = { ...which };
  const item = (command: string, more: ReadonlyPartialJSONObject = {}): void => {
    menu.addItem({ command, args: { ...args, ...more } });
  };
  item(Commands.openNotebook);
  ['facts', 'change', 'champion', 'curves'].forEach(part => item(Commands.showExperiment, { part }));
  menu.addItem({ type: 'separator' });
  [Commands.branch, Commands.take, Commands.reproduce, Commands.fork, Commands.handBack].forEach(id => item(id));
  menu.aboutToClose.connect(() => {
    // The menu runs what was chosen after it has closed.
    window.setTimeout(() => {
      menu.dispose();
      closed();
    });
  });
  menu.open(at[0], at[1]);
}
