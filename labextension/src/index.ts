import { ILabShell, ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CATEGORY, Commands, PLUGIN, SIDEBAR_ID } from './ids';
import { researchIcon } from './icon';
import { addBadge } from './lab/badge';
import { addCards } from './lab/cards';
import { ILab } from './lab/lab';
import { addMenu } from './lab/menu';
import { addNotices } from './lab/notices';
import { addStatus } from './lab/status';
import { Choice } from './live/choice';
import { Connection } from './live/connection';
import { Drafts } from './live/drafts';
import { Project } from './live/project';
import { Projects } from './live/projects';
import { Telling } from './live/telling';
import { addMain } from './main/main';
import { ISurroundings } from './parts/surroundings';
import { Sidebar } from './sidebar/sidebar';
import { addStart } from './start/start';

/** Every token is optional, so that Jupyter Notebook, which lacks some of them, loads the sidebar too. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: 'The research sidebar.',
  autoStart: true,
  optional: [
    ITranslator,
    ILabShell,
    ICommandPalette,
    ILayoutRestorer,
    ILauncher,
    IStatusBar,
    ISettingRegistry,
    IFileBrowserFactory,
    IEditorLanguageRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    shell: ILabShell | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    launcher: ILauncher | null,
    statusBar: IStatusBar | null,
    settings: ISettingRegistry | null,
    browser: IFileBrowserFactory | null,
    languages: IEditorLanguageRegistry | null
  ) => {
    const surroundings = surround(app, translator ?? nullTranslator, languages);
    const lab: ILab = { app, surroundings, shell, palette, restorer, launcher, statusBar, settings, browser };
    const sidebar = new Sidebar(surroundings);
    app.shell.add(sidebar, 'left', { rank: 600 });
    restorer?.add(sidebar, SIDEBAR_ID);
    addOpen(lab);
    [addBadge, addCards, addMain, addMenu, addNotices, addStart, addStatus].forEach(add => add(lab));
  }
};

function surround(
  app: JupyterFrontEnd,
  translator: ITranslator,
  languages: IEditorLanguageRegistry | null
): ISurroundings {
  const connection = new Connection(app.serviceManager);
  const telling = new Telling(connection);
  const opened = new Map<string, Project>();
  return {
    trans: translator.load('jupyter_deepresearch'),
    connection,
    projects: new Projects(connection),
    telling,
    drafts: new Drafts(),
    choice: new Choice(),
    commands: app.commands,
    contents: app.serviceManager.contents,
    languages,
    project: id => {
      const project = opened.get(id) ?? new Project(id, connection, telling);
      opened.set(id, project);
      return project;
    }
  };
}

function addOpen(lab: ILab): void {
  const { trans } = lab.surroundings;
  lab.app.commands.addCommand(Commands.open, {
    label: trans.__('Open Deep Research'),
    caption: trans.__('Show the research sidebar'),
    icon: researchIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: { project: { type: 'string', description: trans.__('The id of a project to show') } }
      }
    },
    execute: args => {
      if (typeof args.project === 'string') {
        lab.surroundings.choice.choose(args.project);
      }
      lab.app.shell.activateById(SIDEBAR_ID);
    }
  });
  lab.palette?.addItem({ command: Commands.open, category: trans.__(CATEGORY) });
}

export default plugin;
