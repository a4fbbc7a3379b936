import * as React from 'react';

import { useSurroundings } from './surroundings';
import { figure } from '../text/figures';

const [WIDTH, MARGIN] = [100, 4];

/**
 * The values of experiments, oldest first, as dots over a line, with the champion's level dashed. A value far off the
 * others is drawn at the edge: it may not flatten all the rest.
 */
export function Spark(props: {
  values: readonly (number | null)[];
  /** A level to compare with: the champion's. */
  level: number | null;
  height: number;
  /** The accessible name; without one it is decoration beside a text that says the same. */
  label?: string;
}): JSX.Element | null {
  const { values, level, height } = props;
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) {
    return null;
  }
  const [low, high] = bounds(level === null ? known : [...known, level]);
  const y = (value: number): number => {
    const share = high > low ? (Math.min(high, Math.max(low, value)) - low) / (high - low) : 0.5;
    return height - MARGIN - share * (height - 2 * MARGIN);
  };
  const x = (i: number): number => MARGIN + (i / Math.max(1, values.length - 1)) * (WIDTH - 2 * MARGIN);
  const at = values.map((value, i) => (value === null ? '' : `${round(x(i))},${round(y(value))}`)).filter(Boolean);
  const voice = props.label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': props.label };
  return (
    <svg
      className="jp-DeepResearch-spark"
      viewBox={`0 0 ${WIDTH} ${height}`}
      preserveAspectRatio="none"
      style={{ height }}
      {...voice}
    >
      {level !== null && <path data-part="level" d={`M0,${round(y(level))}H${WIDTH}`} />}
      <path data-part="line" d={`M${at.join('L')}`} />
      <path data-part="dots" d={at.map(point => `M${point}h0`).join('')} />
      <path data-part="last" d={`M${at[at.length - 1]}h0`} />
    </svg>
  );
}

/** A spark in words. */
export function useSparkLabel(values: readonly (number | null)[], metric: string, level: number | null): string {
  const { trans } = useSurroundings();
  const last = [...values].reverse().find(value => value !== null);
  const said = trans._n(
    '%2 of the latest experiment: %3',
    '%2 of the latest %1 experiments, the last one %3',
    values.length,
    metric,
    figure(last)
  );
  return level === null ? said : trans.__("%1; the champion's %2 is dashed", said, figure(level));
}

/** The range of the values, without those that lie more than `reach` times the middle half's width outside of it. */
export function bounds(values: readonly number[], reach = 4): [low: number, high: number] {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))];
  const far = reach * (at(0.75) - at(0.25));
  if (sorted.length < 8 || far === 0) {
    return [sorted[0], sorted[sorted.length - 1]];
  }
  const inside = sorted.filter(value => value >= at(0.25) - far && value <= at(0.75) + far);
  return [inside[0], inside[inside.length - 1]];
}

function round(length: number): number {
  return Math.round(length * 100) / 100;
}
