import { Value } from '../api/shapes';
import { written } from './figures';

const NUMBER = /^[+-]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(e[+-]?\d+)?$/i;
const WORDS: Readonly<Record<string, Value>> = { True: true, true: true, False: false, false: false, None: null };

/** A parameter's value as it stands in a field: a text without its quotes. */
export function typed(value: Value | undefined): string {
  return value === undefined ? '' : typeof value === 'string' ? value : written(value);
}

/** What a person has typed, as Python has it; `like` is what it replaces. The server says what does not fit. */
export function understood(text: string, like: Value | undefined): Value {
  const bare = text.trim();
  const quoted = /^(['"])(.*)\1$/s.exec(bare);
  if (typeof like === 'string' || quoted !== null) {
    return quoted === null ? bare : quoted[2];
  }
  return bare in WORDS ? WORDS[bare] : NUMBER.test(bare) ? Number(bare.split('_').join('')) : bare;
}
