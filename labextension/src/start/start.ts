import { CATEGORY, Commands } from '../ids';
import { researchIcon } from '../icon';
import { ILab } from '../lab/lab';
import { StartDialog } from './dialog';
import { offer, selected } from './notebooks';

/** "Research this notebook...": in the file browser's menu, the launcher, the palette, and as the sidebar's [+]. */
export function addStart(lab: ILab): void {
  const { app, surroundings, browser } = lab;
  const { trans } = surroundings;
  app.commands.addCommand(Commands.research, {
    label: args =>
      args.isSelected || typeof args.path === 'string'
        ? trans.__('Research this notebook...')
        : trans.__('Research a notebook...'),
    caption: trans.__('Start automatic research on a training notebook'),
    icon: researchIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: { type: 'string', description: trans.__('The notebook, relative to the server\'s root') },
          cwd: { type: 'string', description: trans.__('The folder whose notebooks are offered') },
          isSelected: { type: 'boolean', description: trans.__('The notebook selected in the file browser') }
        }
      }
    },
    execute: async args => {
      const given = typeof args.path === 'string' ? args.path : args.isSelected ? selected(app, browser) : '';
      const cwd = typeof args.cwd === 'string' ? args.cwd : null; // The launcher's folder.
      const offered = given === '' ? await offer(app, browser, cwd) : { path: given, notebooks: [] };
      const dialog = new StartDialog(surroundings, offered.path, offered.notebooks);
      await dialog.launch();
      if (dialog.started !== null) {
        await app.commands.execute(Commands.open, { project: dialog.started.id });
      }
      return dialog.started?.id ?? null;
    }
  });
  lab.palette?.addItem({ command: Commands.research, category: trans.__(CATEGORY) });
  lab.launcher?.add({ command: Commands.research, category: trans.__('Other'), rank: 1 });
}
