import { TranslationBundle } from '@jupyterlab/translation';

import { Decision, ProjectState, Purpose, RunState } from '../api/shapes';

/** A word with a shape beside it: colour is never the only sign. `tone` names the colour in the style sheet. */
export interface IMark {
  shape: string;
  word: string;
  tone: 'good' | 'bad' | 'warn' | 'live' | 'plain';
}

export function projectMark(state: ProjectState, trans: TranslationBundle): IMark {
  const marks: Record<ProjectState, IMark> = {
    failed: { shape: '!', word: trans.__('failed'), tone: 'bad' },
    finished: { shape: '✓', word: trans.__('finished'), tone: 'good' },
    stopped: { shape: '■', word: trans.__('stopped'), tone: 'plain' },
    paused: { shape: '‖', word: trans.__('paused'), tone: 'plain' },
    running: { shape: '▶', word: trans.__('running'), tone: 'live' },
    waiting_approval: { shape: '?', word: trans.__('waiting for you'), tone: 'warn' }
  };
  return marks[state];
}

function decisionMark(decision: Decision, trans: TranslationBundle): IMark {
  const marks: Record<Decision, IMark> = {
    baseline: { shape: '○', word: trans.__('BASELINE'), tone: 'plain' },
    promising: { shape: '△', word: trans.__('PROMISING'), tone: 'live' },
    confirmed: { shape: '★', word: trans.__('CONFIRMED'), tone: 'good' },
    retracted: { shape: '▽', word: trans.__('RETRACTED'), tone: 'warn' },
    worse: { shape: '✕', word: trans.__('WORSE'), tone: 'bad' },
    inconclusive: { shape: '≈', word: trans.__('INCONCLUSIVE'), tone: 'plain' },
    failed: { shape: '!', word: trans.__('FAILED'), tone: 'bad' },
    rejected: { shape: '⊘', word: trans.__('REJECTED'), tone: 'plain' }
  };
  return marks[decision];
}

export function runMark(state: RunState, trans: TranslationBundle): IMark {
  const words: Record<RunState, string> = {
    pending: trans.__('PENDING'),
    running: trans.__('RUNNING'),
    succeeded: trans.__('SUCCEEDED'),
    crashed: trans.__('CRASHED'),
    diverged: trans.__('DIVERGED'),
    stalled: trans.__('STALLED'),
    timed_out: trans.__('TIMED OUT'),
    out_of_memory: trans.__('OUT OF MEMORY'),
    pruned: trans.__('PRUNED'),
    cancelled: trans.__('CANCELLED'),
    lost: trans.__('LOST'),
    invalid: trans.__('INVALID')
  };
  const shapes: Partial<Record<RunState, string>> = {
    pending: '…',
    running: '▶',
    succeeded: '✓',
    cancelled: '⊘'
  };
  const tones: Partial<Record<RunState, IMark['tone']>> = {
    pending: 'plain',
    running: 'live',
    succeeded: 'good',
    cancelled: 'plain',
    pruned: 'plain'
  };
  return { shape: shapes[state] ?? '!', word: words[state], tone: tones[state] ?? 'bad' };
}

/** What an experiment came to: its verdict; where it failed, how; what it does while it has none. */
export function experimentMark(decision: Decision | null, state: RunState, trans: TranslationBundle): IMark {
  if (decision === null || (decision === 'failed' && state !== 'succeeded')) {
    return runMark(state, trans);
  }
  return decisionMark(decision, trans);
}

export function purposeWord(purpose: Purpose, trans: TranslationBundle): string {
  const words: Record<Purpose, string> = {
    baseline: trans.__('baseline'),
    candidate: trans.__('first run'),
    confirm: trans.__('confirming'),
    reproduce: trans.__('reproducing'),
    dry_run: trans.__('dry run')
  };
  return words[purpose];
}

/** The verdicts that a history can be filtered by, in the order of the contract. */
export const DECISIONS: readonly Decision[] = [
  'baseline',
  'promising',
  'confirmed',
  'retracted',
  'worse',
  'inconclusive',
  'failed',
  'rejected'
];

export function decisionWord(decision: Decision, trans: TranslationBundle): string {
  return decisionMark(decision, trans).word;
}
