import { TranslationBundle } from '@jupyterlab/translation';

import { Interval, Value } from '../api/shapes';

export const UNKNOWN = '–';

/** A step is a count: none of its digits is left out. */
export const STEP_DIGITS = 12;

/** A number in few digits; a dash where it is not known. */
export function figure(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return UNKNOWN;
  }
  return String(Number(value.toPrecision(digits)));
}

/** "0.9822 ±0.0016": a mean and half of its 95 % interval, where there is one. */
export function measured(value: number | null, interval: Interval | null): string {
  if (value === null || interval === null) {
    return figure(value);
  }
  const half = (interval[1] - interval[0]) / 2;
  return `${figure(value)} ±${figure(half, 2)}`;
}

/** A difference, with its sign. */
export function difference(value: number | null): string {
  return value === null ? UNKNOWN : `${value === 0 ? '±' : value < 0 ? '−' : '+'}${figure(Math.abs(value), 2)}`;
}

/** "45 s", "12 min", "3.5 h", "2.1 d". */
export function duration(seconds: number | null, trans: TranslationBundle): string {
  if (seconds === null) {
    return UNKNOWN;
  }
  if (seconds < 90) {
    return trans.__('%1 s', seconds < 10 ? figure(seconds, 2) : Math.round(seconds));
  }
  if (seconds < 5400) {
    return trans.__('%1 min', Math.round(seconds / 60));
  }
  const hours = seconds / 3600;
  return hours < 48 ? trans.__('%1 h', figure(hours, 2)) : trans.__('%1 d', figure(hours / 24, 2));
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in the largest fitting unit of a thousand. */
export function bytes(count: number | null): string {
  if (count === null) {
    return UNKNOWN;
  }
  const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  return `${figure(count / 1000 ** power, 3)} ${UNITS[power]}`;
}

/** US dollars; a dash where calls had no known price. */
export function usd(amount: number | null): string {
  if (amount === null) {
    return UNKNOWN;
  }
  return amount === 0 ? '$0' : amount < 0.0005 ? '<$0.001' : `$${amount.toFixed(amount < 1 ? 3 : 2)}`;
}

/** A parameter's value as Python writes it. */
export function written(value: Value | undefined): string {
  if (value === undefined) {
    return UNKNOWN;
  }
  if (value === null || typeof value === 'boolean') {
    return value === null ? 'None' : value ? 'True' : 'False';
  }
  return typeof value === 'number' ? pythonic(value) : JSON.stringify(value);
}

/** 2.27e-06 where JavaScript would write 0.00000227. */
function pythonic(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e16)) {
    return String(value);
  }
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
