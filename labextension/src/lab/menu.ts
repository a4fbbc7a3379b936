import { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

import { ISurroundings } from '../parts/surroundings';
import { handBack } from './handing';
import { Commands, EXPERIMENT_ARGUMENTS, ILab } from './lab';
import { branch, fork, IWhich, openNotebook, orSay, reproduce, take } from './making';

/** What can be done with an experiment, as commands. */
export function addMenu(lab: ILab): void {
  const { trans } = lab.surroundings;
  const add = (
    id: string,
    label: CommandRegistry.ICommandOptions['label'],
    caption: string,
    does: (which: IWhich, args: ReadonlyPartialJSONObject) => Promise<void>
  ): void => {
    const execute = (args: ReadonlyPartialJSONObject): Promise<void> =>
      orSay(lab.surroundings, () => does(whichOf(args), args));
    lab.app.commands.addCommand(id, { label, caption, describedBy: EXPERIMENT_ARGUMENTS, execute });
  };
  const { surroundings } = lab;
  add(Commands.openNotebook, trans.__('Open Executed Notebook'), trans.__('The notebook as it ran, with outputs'), which =>
    openNotebook(surroundings, which)
  );
  add(
    Commands.branch,
    args => (isBranch(surroundings, args) ? trans.__('Grow from the Champion Again') : trans.__('Branch from Here')),
    trans.__('Let the next hypotheses grow from this experiment'),
    which => branch(surroundings, which)
  );
  add(Commands.take, trans.__('Take'), trans.__('Its notebook, and the patch that makes it of your files'), which =>
    take(surroundings, which)
  );
  add(Commands.reproduce, trans.__('Reproduce...'), trans.__('Run it with further seeds'), (which, args) =>
    reproduce(surroundings, which, typeof args.seeds === 'number' ? args.seeds : null)
  );
  add(Commands.fork, trans.__('Fork by Hand'), trans.__('Copy its notebook to forks/ for you to edit'), which =>
    fork(surroundings, which)
  );
  add(Commands.handBack, trans.__('Hand a Fork Back...'), trans.__('Try an edited fork as a hypothesis'), (which, args) =>
    handBack(lab, which.project, typeof args.notebook === 'string' ? args.notebook : null)
  );
}

function whichOf(args: ReadonlyPartialJSONObject): IWhich {
  return { project: String(args.project), experiment: Number(args.experiment) };
}

function isBranch(surroundings: ISurroundings, args: ReadonlyPartialJSONObject): boolean {
  const { project, experiment } = whichOf(args);
  // A command's label is asked for without arguments too, of which no project is to be made.
  return args.project !== undefined && surroundings.project(project).status.value?.branch === experiment;
}

/** The menu of one experiment at a point of the page. `closed` is called once it is gone, whatever was chosen. */
export function openMenu(surroundings: ISurroundings, which: IWhich, at: [number, number], closed: () => void): void {
  const menu = new Menu({ commands: surroundings.commands });
  menu.addClass('jp-DeepResearch-menu');
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
