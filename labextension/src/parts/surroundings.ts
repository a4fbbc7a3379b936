import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { Contents } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { ISignal } from '@lumino/signaling';
import * as React from 'react';

import { Answer } from '../live/answer';
import { Choice } from '../live/choice';
import { Connection } from '../live/connection';
import { Project } from '../live/project';
import { Projects } from '../live/projects';
import { Telling } from '../live/telling';
import { Drafts } from '../live/drafts';

/** What every part of the sidebar and of the main area may use. */
export interface ISurroundings {
  trans: TranslationBundle;
  connection: Connection;
  projects: Projects;
  telling: Telling;
  drafts: Drafts;
  choice: Choice;
  commands: CommandRegistry;
  contents: Contents.IManager;
  /** The project of this id; made when it is first asked for. */
  project(id: string): Project;
  /** Highlights code in diffs; null where Jupyter offers none. */
  languages: IEditorLanguageRegistry | null;
}

export const Surroundings = React.createContext<ISurroundings | null>(null);

export function useSurroundings(): ISurroundings {
  const found = React.useContext(Surroundings);
  if (found === null) {
    throw new Error('rendered outside of its surroundings');
  }
  return found;
}

/** Whether the panel around is in sight. */
export const InSight = React.createContext(true);

/** Draw again whenever the signal is emitted. */
export function useSignal(signal: ISignal<unknown, unknown>): void {
  const [, again] = React.useReducer((n: number) => n + 1, 0);
  React.useEffect(() => {
    const slot = (): void => again();
    signal.connect(slot);
    return () => void signal.disconnect(slot);
  }, [signal]);
}

/** Look at something as long as this is in sight (and `isShown`). */
export function useWatch(watched: { watch(): () => void }, isShown = true): void {
  const isInSight = React.useContext(InSight) && isShown;
  React.useEffect(() => (isInSight ? watched.watch() : undefined), [watched, isInSight]);
}

/** Look at an answer, and draw again when it changes. */
export function useAnswer<T>(answer: Answer<T>, isShown = true): T | null {
  useSignal(answer.changed);
  useWatch(answer, isShown);
  return answer.value;
}

/** A text that is kept while it is not sent: over a lost server, a closed section, another project in between. */
export function useDraft(key: string, initial = ''): [string, (text: string) => void, () => void] {
  const { drafts } = useSurroundings();
  const [text, setText] = React.useState(drafts.get(key) ?? initial);
  React.useEffect(() => setText(drafts.get(key) ?? initial), [key]);
  const write = (typed: string): void => {
    drafts.set(key, typed);
    setText(typed);
  };
  const forget = (): void => {
    drafts.delete(key);
    setText(initial);
  };
  return [text, write, forget];
}
