import { PathExt } from '@jupyterlab/coreutils';

import { Refused } from '../api/client';
import { askFork, IHandedBack } from './asking';
import { ILab } from './lab';
import { pathOf } from './making';
import { say } from './said';

const FORKS = 'forks';

/** What a document in the main area is, as far as its file is to be saved. */
interface IDocument {
  context?: { path: string; model: { dirty: boolean }; save(): Promise<void> };
}

/** Hand a fork back as a hypothesis of one's own; asks which one and what it claims. */
export async function handBack(lab: ILab, project: string, notebook: string | null): Promise<void> {
  const { trans, drafts } = lab.surroundings;
  const forks = await forksOf(lab, project);
  if (forks.length === 0) {
    say(trans.__('There is no fork to hand back yet: choose "Fork by Hand" at an experiment first.'), 'info');
    return;
  }
  const key = `fork:${project}`;
  const chosen = notebook !== null && forks.includes(notebook) ? notebook : forks[0];
  let given: IHandedBack = { notebook: chosen, claim: drafts.get(key) ?? '' };
  let refusal: string | null = null;
  for (;;) {
    const answer = await askFork(forks, given, refusal, claim => drafts.set(key, claim), trans);
    if (answer === null) {
      return;
    }
    given = answer;
    refusal = await refusalOf(() => tell(lab, project, given));
    if (refusal === null) {
      drafts.delete(key);
      say(trans.__('%1 is a hypothesis now.', given.notebook));
      return;
    }
  }
}

async function tell(lab: ILab, project: string, given: IHandedBack): Promise<void> {
  await saveOpen(lab, pathOf(lab.surroundings, project, given.notebook));
  await lab.surroundings.project(project).tell({ kind: 'try', notebook: given.notebook, claim: given.claim.trim() });
}

async function refusalOf(what: () => Promise<void>): Promise<string | null> {
  try {
    await what();
    return null;
  } catch (error) {
    if (error instanceof Refused) {
      return error.message;
    }
    throw error;
  }
}

/** The notebooks right below the project's `forks/`, the one that was edited last first. */
async function forksOf(lab: ILab, project: string): Promise<readonly string[]> {
  const folder = pathOf(lab.surroundings, project, FORKS);
  if (folder === null) {
    throw new Error(lab.surroundings.trans.__('The project lies outside of the folder that Jupyter serves.'));
  }
  const { contents } = lab.app.serviceManager;
  // A folder that is not there is asked for by the listing above it, which answers without an error.
  const above = await contents.get(PathExt.dirname(folder), { content: true });
  const isThere = (above.content as { name: string }[]).some(entry => entry.name === FORKS);
  const found = isThere ? (await contents.get(folder, { content: true })).content : [];
  const entries = found as { name: string; type: string; last_modified: string }[];
  return entries
    .filter(entry => entry.type === 'notebook')
    .sort((a, b) => b.last_modified.localeCompare(a.last_modified))
    .map(entry => `${FORKS}/${entry.name}`);
}

/** What was typed into the fork and not saved goes back too. */
async function saveOpen(lab: ILab, path: string | null): Promise<void> {
  for (const widget of lab.app.shell.widgets('main')) {
    const { context } = widget as IDocument;
    if (context?.path === path && context?.model.dirty) {
      await context.save();
    }
  }
}
