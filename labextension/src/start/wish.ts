import { TranslationBundle } from '@jupyterlab/translation';

import { IGuess } from '../api/shapes';
import { limitOf, limitProblem } from '../text/limits';

export const BRIEF_LIMIT = 3_000;

/** What the start form asks for, as it is typed. An empty text leaves it to the server, or is no limit. */
export interface IWish {
  metric: string;
  direction: string;
  approval: string;
  minutes: string;
  cycles: string;
  hours: string;
  usd: string;
  researcher: string;
  brief: string;
}

export type Place = keyof IWish | 'notebook';
export type Problems = Partial<Record<Place, string>>;

const LIMITS = ['cycles', 'hours', 'usd'] as const;

/** What the form begins with. */
export function guessed(guess: IGuess): IWish {
  const metric = guess.metric ?? guess.metrics[0]?.name ?? '';
  return {
    metric,
    direction: guess.direction ?? likelyDirection(guess, metric),
    approval: guess.approval ?? 'auto',
    minutes: '',
    cycles: typed(guess.cycles),
    hours: typed(guess.hours),
    usd: typed(guess.usd),
    researcher: '',
    brief: guess.brief
  };
}

/** Empty where the metric's name is none of the notebook's: the server then goes by the name. */
export function likelyDirection(guess: IGuess, metric: string): string {
  return guess.metrics.find(likely => likely.name === metric)?.direction ?? '';
}

/** What can be seen to be wrong without the server. */
export function problems(wish: IWish, trans: TranslationBundle): Problems {
  const found: Problems = {};
  if (wish.metric.trim() === '') {
    found.metric = trans.__('Name the number that the notebook reports or prints, such as val_accuracy.');
  }
  const limits = [...LIMITS.map(key => [key, key] as const), ['minutes', 'auto_after_minutes'] as const];
  for (const [place, key] of limits) {
    const wrong = place === 'minutes' && wish.approval !== 'ask' ? null : limitProblem(key, wish[place], trans);
    if (wrong !== null) {
      found[place] = wrong;
    }
  }
  if (wish.brief.length > BRIEF_LIMIT) {
    found.brief = trans.__('%1 characters; at most %2. Move the rest to notes/*.md.', wish.brief.length, BRIEF_LIMIT);
  }
  return found;
}

/** The body of `POST projects`: what differs from what a start without words would do. */
export function request(wish: IWish, guess: IGuess): object {
  const direction = wish.direction === '' ? {} : { direction: wish.direction };
  const isSaid = wish.metric === guess.metric && (wish.direction === '' || wish.direction === guess.direction);
  const body: Record<string, object | string> = { path: guess.place, notebook: guess.notebook };
  if (!isSaid) {
    body.objective = { metric: wish.metric.trim(), ...direction };
  }
  const minutes = wish.approval === 'ask' ? limitOf(wish.minutes) : null;
  if (wish.approval !== guess.approval || minutes !== null) {
    body.approval = { mode: wish.approval, ...(minutes === null ? {} : { auto_after_minutes: minutes }) };
  }
  const changed = LIMITS.filter(key => limitOf(wish[key]) !== (guess[key] ?? null));
  if (changed.length > 0) {
    body.budget = Object.fromEntries(changed.map(key => [key, limitOf(wish[key])]));
  }
  if (wish.researcher !== '') {
    body.researcher = { kind: wish.researcher };
  }
  if (wish.brief.trim() !== '' && guess.brief === '') {
    body.brief = wish.brief;
  }
  return body;
}

/** The field that a key of the configuration is asked for in; null where the form has none. */
export function placeOf(key: string | null): Place | null {
  const places: Record<string, Place> = {
    notebook: 'notebook',
    path: 'notebook',
    'objective.metric': 'metric',
    'objective.direction': 'direction',
    'approval.mode': 'approval',
    'approval.auto_after_minutes': 'minutes',
    'budget.cycles': 'cycles',
    'budget.hours': 'hours',
    'budget.usd': 'usd',
    brief: 'brief'
  };
  return key === null ? null : places[key] ?? (key.startsWith('researcher') ? 'researcher' : null);
}

function typed(limit: number | null | undefined): string {
  return limit === null || limit === undefined ? '' : String(limit);
}
