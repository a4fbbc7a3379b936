import { Contents } from '@jupyterlab/services';
import * as React from 'react';

import { Project } from '../live/project';
import { useAnswer, useSurroundings } from '../parts/surroundings';

/** The notebooks of the project's folder and its forks, relative to it, once they are looked for. */
export function useNotebooks(project: Project, isWanted: boolean): readonly string[] {
  const { contents } = useSurroundings();
  const place = useAnswer(project.status)?.place ?? null;
  const [found, find] = React.useState<readonly string[]>([]);
  React.useEffect(() => {
    let isOver = !isWanted || place === null;
    if (!isOver) {
      void listed(contents, place ?? '').then(paths => isOver || find(paths));
    }
    return () => {
      isOver = true;
    };
  }, [contents, place, isWanted]);
  return found;
}

async function listed(contents: Contents.IManager, place: string): Promise<readonly string[]> {
  const [forks, own] = await Promise.all([inFolder(contents, place, 'forks/'), inFolder(contents, place, '')]);
  return [...forks, ...own];
}

async function inFolder(contents: Contents.IManager, place: string, folder: string): Promise<readonly string[]> {
  try {
    const found = await contents.get([place, folder].filter(Boolean).join('/').replace(/\/$/, ''));
    const models = (found.content ?? []) as readonly Contents.IModel[];
    return models.filter(model => model.type === 'notebook').map(model => `${folder}${model.name}`);
  } catch {
    return []; // No forks yet, or a folder that Jupyter hides: the field takes what is typed all the same.
  }
}
