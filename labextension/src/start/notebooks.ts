import { JupyterFrontEnd } from '@jupyterlab/application';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';

const OURS = ['experiments', 'forks'];
const MOST_FOLDERS = 20;

interface IEntry {
  type: string;
  path: string;
}

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

/**
 * The notebooks of a folder, and the one that the person is most likely to mean.
 *
 * @param cwd the folder; null: that which the file browser shows.
 */
export async function offer(
  app: JupyterFrontEnd,
  browser: IFileBrowserFactory | null,
  cwd: string | null
): Promise<IOffer> {
  const open = opened(app);
  const folder = cwd ?? browser?.tracker.currentWidget?.model.path ?? parent(open);
  const notebooks = await notebooksNear(app, app.serviceManager.contents.localPath(folder));
  const likely = open || selected(app, browser) || (notebooks.length === 1 ? notebooks[0] : '');
  return { path: likely, notebooks };
}

function opened(app: JupyterFrontEnd): string {
  const shown = app.shell.currentWidget as { context?: { path?: unknown } } | null;
  const path = shown?.context?.path;
  return typeof path === 'string' && path.endsWith('.ipynb') ? app.serviceManager.contents.localPath(path) : '';
}

/** The notebooks of a folder; where it has none, those of its folders. */
async function notebooksNear(app: JupyterFrontEnd, folder: string): Promise<readonly string[]> {
  const entries = await entriesOf(app, folder);
  const notebooks = pathsOf(entries, 'notebook');
  if (notebooks.length > 0) {
    return notebooks;
  }
  const below = pathsOf(entries, 'directory').filter(path => !OURS.includes(path.split('/').pop() ?? ''));
  const found = await Promise.all(below.slice(0, MOST_FOLDERS).map(path => entriesOf(app, path)));
  return found.flatMap(inside => pathsOf(inside, 'notebook')).sort();
}

function pathsOf(entries: readonly IEntry[], type: string): readonly string[] {
  return entries
    .filter(entry => entry.type === type)
    .map(entry => entry.path)
    .sort();
}

async function entriesOf(app: JupyterFrontEnd, folder: string): Promise<readonly IEntry[]> {
  try {
    const found = await app.serviceManager.contents.get(folder, { type: 'directory', content: true });
    return found.content as readonly IEntry[];
  } catch {
    return []; // A folder that is gone offers nothing; a path can still be typed.
  }
}

function parent(path: string): string {
  const folder = path.split('/').slice(0, -1);
  return folder.filter(name => !OURS.includes(name)).join('/');
}
