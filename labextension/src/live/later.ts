import { ISignal, Signal } from '@lumino/signaling';

import { IWaiting } from '../api/shapes';
import { remember, remembered } from './drafts';

/** What is put off of one project: the number of each hypothesis, and how it read then. */
type PutOff = Readonly<Record<string, string>>;

const source = {};
const emitter = new Signal<object, void>(source);

/** Something was put off or taken up again, in this page or in another one of this browser. */
export const laterChanged: ISignal<object, void> = emitter;

/** Whether a person has put this off: it counts in no badge and no notice until it changes or is opened. */
export function isPutOff(project: string, hypothesis: number): boolean {
  return String(hypothesis) in read(project);
}

export function putOff(project: string, waiting: IWaiting): void {
  write(project, { ...read(project), [waiting.hypothesis]: signature(waiting) });
}

export function takeUp(project: string, hypothesis: number): void {
  const { [String(hypothesis)]: gone, ...others } = read(project);
  if (gone !== undefined) {
    write(project, others);
  }
}

/** Take up again what reads otherwise now, and forget what no longer waits. */
export function review(project: string, waiting: readonly IWaiting[]): void {
  const before = read(project);
  const still = waiting.filter(w => before[w.hypothesis] === signature(w));
  if (still.length < Object.keys(before).length) {
    write(project, Object.fromEntries(still.map(w => [w.hypothesis, before[w.hypothesis]])));
  }
}

/** Whether anything of this project is put off. */
export function hasPutOff(project: string): boolean {
  return Object.keys(read(project)).length > 0;
}

/** What a person decides on, as one text: two that read the same are the same. */
export function signature(waiting: IWaiting): string {
  return JSON.stringify([waiting.claim, waiting.parameters, waiting.edits, waiting.sweep]);
}

function read(project: string): PutOff {
  try {
    const found: unknown = JSON.parse(remembered(`later:${project}`) ?? '{}');
    return typeof found === 'object' && found !== null ? (found as PutOff) : {};
  } catch {
    return {}; // Not written by us.
  }
}

function write(project: string, wanted: PutOff): void {
  remember(`later:${project}`, JSON.stringify(wanted));
  emitter.emit();
}

window.addEventListener('storage', event => {
  if (event.key?.startsWith('jupyter-deepresearch:later:')) {
    emitter.emit();
  }
});
