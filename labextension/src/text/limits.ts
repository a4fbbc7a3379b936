import { TranslationBundle } from '@jupyterlab/translation';

const WHOLE = ['cycles', 'tokens', 'tokens_per_day', 'calls', 'calls_per_day'];
const ABOVE_ZERO = ['hours', 'run_minutes', 'disk_gb', 'auto_after_minutes'];

/** The keys of [budget] in words. */
export function budgetWord(key: string, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    cycles: trans.__('Cycles'),
    hours: trans.__('Hours of work'),
    run_minutes: trans.__('Minutes of one run'),
    gpu_hours: trans.__('GPU hours'),
    patience: trans.__('Cycles without a gain'),
    disk_gb: trans.__('GB of run folders'),
    usd: trans.__('US dollars'),
    usd_per_day: trans.__('US dollars a day'),
    tokens: trans.__('Tokens'),
    tokens_per_day: trans.__('Tokens a day'),
    calls: trans.__('Calls'),
    calls_per_day: trans.__('Calls a day')
  };
  return words[key] ?? key;
}

/** The number that was typed; null for none. Call it only where `limitProblem` has none. */
export function limitOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text.trim());
}

/** What is plainly wrong with a limit of this key of the configuration; null where nothing is. */
export function limitProblem(key: string, text: string, trans: TranslationBundle): string | null {
  const limit = limitOf(text);
  if (limit === null) {
    return null;
  }
  if (key === 'patience') {
    return Number.isSafeInteger(limit) && limit >= 1 ? null : trans.__('A whole number, at least 1.');
  }
  if (WHOLE.includes(key)) {
    return Number.isSafeInteger(limit) && limit >= 0 ? null : trans.__('A whole number, at least 0.');
  }
  if (ABOVE_ZERO.includes(key)) {
    return Number.isFinite(limit) && limit > 0 ? null : trans.__('A number above 0, such as 1.5.');
  }
  return Number.isFinite(limit) && limit >= 0 ? null : trans.__('A number, at least 0, such as 0.25.');
}
