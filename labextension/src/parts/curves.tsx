import * as React from 'react';

import { figure, STEP_DIGITS } from '../text/figures';
import { bounds } from './spark';
import { useSurroundings } from './surroundings';

const WIDTH = 300;

/** A curve's steep beginning belongs to it; what diverged may not flatten the rest. */
const REACH = 25;

/** What a metric was at each step, oldest first; null where it was no number. */
export type Points = readonly (readonly [step: number, value: number | null])[];

export interface ILine {
  name: string;
  points: Points;
  /** The theme's colour that it is drawn in. */
  tone: 'live' | 'good' | 'warn' | 'bad' | 'plain';
  /** Dashed as well: colour is never the only sign. */
  isDashed?: boolean;
}

interface IFrame {
  steps: [number, number];
  values: [number, number];
}

/** Curves over one axis of steps, with the limits of both axes and a legend in text. The pointer reads values off. */
export function Curves(props: { lines: readonly ILine[]; label: string; height: number }): JSX.Element {
  const { trans } = useSurroundings();
  const [step, point] = React.useState<number | null>(null);
  const frame = framed(props.lines);
  if (frame === null) {
    return <p className="jp-DeepResearch-hint">{trans.__('Nothing reported yet.')}</p>;
  }
  const onMove = (event: React.PointerEvent<Element>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - box.left) / Math.max(1, box.width);
    point(nearestStep(props.lines, frame.steps[0] + share * (frame.steps[1] - frame.steps[0])));
  };
  return (
    <figure className="jp-DeepResearch-curves" aria-label={props.label}>
      <div className="jp-DeepResearch-plot">
        <div className="jp-DeepResearch-axis" aria-hidden="true">
          <span>{figure(frame.values[1], 3)}</span>
          <span>{figure(frame.values[0], 3)}</span>
        </div>
        <svg
          viewBox={`0 0 ${WIDTH} ${props.height}`}
          preserveAspectRatio="none"
          style={{ height: props.height }}
          role="img"
          aria-label={`${props.label}: ${props.lines.map(line => said(line)).join('; ')}`}
          onPointerMove={onMove}
          onPointerLeave={() => point(null)}
        >
          {step !== null && <path data-part="pointer" d={`M${across(step, frame)},0V${props.height}`} />}
          {props.lines.map((line, i) => (
            <path
              key={i}
              data-part="curve"
              data-tone={line.tone}
              data-dashed={line.isDashed}
              d={drawn(line.points, frame, props.height)}
            />
          ))}
        </svg>
      </div>
      <div className="jp-DeepResearch-steps" aria-hidden="true">
        <span>{figure(frame.steps[0], STEP_DIGITS)}</span>
        <span>{step === null ? trans.__('step') : trans.__('step %1', figure(step, STEP_DIGITS))}</span>
        <span>{figure(frame.steps[1], STEP_DIGITS)}</span>
      </div>
      <figcaption>
        {props.lines.map((line, i) => (
          <Entry key={i} line={line} step={step} />
        ))}
      </figcaption>
    </figure>
  );
}

function Entry(props: { line: ILine; step: number | null }): JSX.Element {
  const { line, step } = props;
  const value = step === null ? last(line.points) : valueAt(line.points, step);
  return (
    <span className="jp-DeepResearch-entry">
      <svg viewBox="0 0 18 6" aria-hidden="true">
        <path data-part="curve" data-tone={line.tone} data-dashed={line.isDashed} d="M1,3H17" />
      </svg>
      {line.name} <b>{figure(value)}</b>
    </span>
  );
}

function said(line: ILine): string {
  return `${line.name} ${figure(last(line.points))}`;
}

function last(points: Points): number | null {
  return [...points].reverse().find(point => point[1] !== null)?.[1] ?? null;
}

/** The last value up to a step; null before the first one. */
function valueAt(points: Points, step: number): number | null {
  return last(points.filter(point => point[0] <= step));
}

/** The reported step next to where the pointer is. */
function nearestStep(lines: readonly ILine[], wanted: number): number {
  const steps = lines.flatMap(line => line.points.map(point => point[0]));
  return steps.reduce((best, step) => (Math.abs(step - wanted) < Math.abs(best - wanted) ? step : best), steps[0]);
}

function framed(lines: readonly ILine[]): IFrame | null {
  const points = lines.flatMap(line => line.points);
  const values = points.map(point => point[1]).filter((value): value is number => value !== null);
  if (values.length === 0) {
    return null;
  }
  const steps = points.map(point => point[0]);
  return { steps: [least(steps), -least(steps.map(step => -step))], values: bounds(values, REACH) };
}

function least(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Infinity);
}

function across(step: number, frame: IFrame): number {
  return place(step, frame.steps, WIDTH);
}

/** Where in 2 to length - 2 a value stands; a value out of the range at its edge, an only value in the middle. */
function place(value: number, [low, high]: [number, number], length: number): number {
  const share = high > low ? (Math.min(high, Math.max(low, value)) - low) / (high - low) : 0.5;
  return Math.round((2 + share * (length - 4)) * 100) / 100;
}

/** A path that is broken where there is no value; a point between two gaps is a dot. */
function drawn(points: Points, frame: IFrame, height: number): string {
  let isOpen = false;
  const parts = points.map(([step, value]) => {
    if (value === null) {
      isOpen = false;
      return '';
    }
    const at = `${across(step, frame)},${Math.round((height - place(value, frame.values, height)) * 100) / 100}`;
    const part = isOpen ? `L${at}` : `M${at}h0`;
    isOpen = true;
    return part;
  });
  return parts.join('');
}
