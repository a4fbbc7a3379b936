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
