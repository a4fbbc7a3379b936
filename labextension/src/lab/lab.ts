import { ILabShell, ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';

import { ISurroundings } from '../parts/surroundings';

/** What Jupyter gave us. All that Jupyter Notebook lacks may be null. */
export interface ILab {
  app: JupyterFrontEnd;
  surroundings: ISurroundings;
  shell: ILabShell | null;
  palette: ICommandPalette | null;
  restorer: ILayoutRestorer | null;
  launcher: ILauncher | null;
  statusBar: IStatusBar | null;
  settings: ISettingRegistry | null;
  browser: IFileBrowserFactory | null;
}

export const PLUGIN = 'jupyter-deepresearch:plugin';
export const CATEGORY = 'Deep Research';

/** The ids of our commands, which menus, shortcuts and other extensions name. */
export const Commands = {
  open: 'deepresearch:open-sidebar',
  research: 'deepresearch:research-notebook',
  approve: 'deepresearch:approve',
  edit: 'deepresearch:edit',
  reject: 'deepresearch:reject',
  later: 'deepresearch:later',
  showChange: 'deepresearch:show-change',
  openNotebook: 'deepresearch:open-notebook',
  showExperiment: 'deepresearch:show-experiment',
  branch: 'deepresearch:branch',
  take: 'deepresearch:take',
  reproduce: 'deepresearch:reproduce',
  fork: 'deepresearch:fork',
  handBack: 'deepresearch:hand-back'
} as const;

export const NO_ARGUMENTS = { args: { type: 'object' as const, properties: {} } };

/** Arguments that name an experiment of a project. */
export const EXPERIMENT_ARGUMENTS = {
  args: {
    type: 'object' as const,
    properties: {
      project: { type: 'string' as const, description: 'The id of the project' },
      experiment: { type: 'number' as const, description: 'The number of the experiment' }
    },
    required: ['project', 'experiment']
  }
};
