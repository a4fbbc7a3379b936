import { JupyterFrontEnd } from '@jupyterlab/application';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';

const OURS = ['experiments', 'forks'];

/** What of the file browser or the main area a start may be about; paths are relative to the server's root. */
export interface IOffer {
  /** The notebook that is selected or open; empty where none is. */
  path: string;
  notebooks: readonly string[];
}

/** The notebook that is selected in the file browser; empty where none is. */
export function selected(app: JupyterFrontEnd, browser: IFileBrowserFactory | null): string {
  for (const item of browser?.tracker.currentWidget?.selectedItems() ?? []) {
    if (item.type === 'notebook') {
      return app.serviceManager.contents.localPath(item.path);
    }
  }
  return '';
}

/** The notebooks of the folder that the file browser shows, and the one that the person is most likely to mean. */
export async function offer(app: JupyterFrontEnd, browser: IFileBrowserFactory | null): Promise<IOffer> {
  const open = opened(app);
  const folder = browser?.tracker.currentWidget?.model.path ?? parent(open);
  const notebooks = await notebooksIn(app, app.serviceManager.contents.localPath(folder));
  const likely = open || selected(app, browser) || (notebooks.length === 1 ? notebooks[0] : '');
  return { path: likely, notebooks };
}

function opened(app: JupyterFrontEnd): string {
  const shown = app.shell.currentWidget as { context?: { path?: unknown } } | null;
  const path = shown?.context?.path;
  return typeof path === 'string' && path.endsWith('.ipynb') ? app.serviceManager.contents.localPath(path) : '';
}

async function notebooksIn(app: JupyterFrontEnd, folder: string): Promise<readonly string[]> {
  try {
    const found = await app.serviceManager.contents.get(folder, { type: 'directory', content: true });
    const entries = found.content as readonly { type: string; path: string }[];
    return entries.filter(entry => entry.type === 'notebook').map(entry => entry.path);
  } catch {
    return []; // A folder that is gone offers nothing; a path can still be typed.
  }
}

function parent(path: string): string {
  const folder = path.split('/').slice(0, -1);
  return folder.filter(name => !OURS.includes(name)).join('/');
}
