import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { researchIcon } from './icon';
import { ProjectsModel } from './model';
import { Sidebar, SIDEBAR_ID } from './sidebar';

const OPEN = 'deepresearch:open-sidebar';
const NO_ARGUMENTS = { args: { type: 'object' as const, properties: {} } };

/** Every token is optional, so that Jupyter Notebook, which lacks some of them, loads the sidebar too. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-deepresearch:plugin',
  description: 'The research sidebar.',
  autoStart: true,
  optional: [ITranslator, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_deepresearch');
    const model = new ProjectsModel(app.serviceManager);
    const sidebar = new Sidebar(model, trans);
    app.shell.add(sidebar, 'left', { rank: 600 });
    restorer?.add(sidebar, SIDEBAR_ID);
    app.commands.addCommand(OPEN, {
      label: trans.__('Open Deep Research'),
      caption: trans.__('Show the research sidebar'),
      icon: researchIcon,
      describedBy: NO_ARGUMENTS,
      execute: () => app.shell.activateById(SIDEBAR_ID)
    });
    palette?.addItem({ command: OPEN, category: trans.__('Deep Research') });
    void model.refresh();
  }
};

export default plugin;
