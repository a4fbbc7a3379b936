import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { INearest, IWaiting } from '../api/shapes';
import { Project } from '../live/project';
import { Mark } from '../parts/mark';
import { useSurroundings } from '../parts/surroundings';
import { duration, figure, usd, written } from '../text/figures';
import { experimentMark } from '../text/words';
import { Change } from './change';

/** What a person decides on: why, what is expected, what changes, what it costs, what was tried like it. */
export function Facts(props: { project: Project; waiting: IWaiting }): JSX.Element {
  const { trans } = useSurroundings();
  const { waiting } = props;
  return (
    <>
      <dl className="jp-DeepResearch-cardFacts">
        <Fact name={trans.__('why')} text={waiting.rationale} />
        <Fact name={trans.__('expected')} text={waiting.expected} />
        <Parameters waiting={waiting} />
        {waiting.sweep !== null && (
          <Fact
            name={trans._n('%1 trial', '%1 trials', waiting.sweep.trials)}
            text={waiting.sweep.space.join('; ')}
          />
        )}
        <Fact name={trans.__('takes')} text={price(waiting, trans)} />
        {waiting.nearest !== null && <Nearest nearest={waiting.nearest} />}
      </dl>
      <Change project={props.project} waiting={waiting} />
    </>
  );
}

function Fact(props: { name: string; text: string }): JSX.Element | null {
  return props.text ? (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.text}</dd>
    </div>
  ) : null;
}

function Parameters(props: { waiting: IWaiting }): JSX.Element {
  const { parameters, before } = props.waiting;
  return (
    <>
      {Object.entries(parameters).map(([name, value]) => (
        <div key={name} data-parameter={name}>
          <dt>
            <code>{name}</code>
          </dt>
          <dd>
            <code>{written(before[name])}</code> → <code className="jp-DeepResearch-new">{written(value)}</code>
          </dd>
        </div>
      ))}
    </>
  );
}

function Nearest(props: { nearest: INearest }): JSX.Element {
  const { trans } = useSurroundings();
  const { experiment, claim, decision, value } = props.nearest;
  return (
    <div>
      <dt>{trans.__('nearest')}</dt>
      <dd>
        #{experiment} {claim} <Mark mark={experimentMark(decision, 'succeeded', trans)} />
        {value !== null && ` ${figure(value)}`}
      </dd>
    </div>
  );
}

function price(waiting: IWaiting, trans: TranslationBundle): string {
  const { minutes, usd: amount, basis } = waiting.estimate;
  const time = minutes === null ? trans.__('time not known yet') : trans.__('~ %1', duration(minutes * 60, trans));
  const money = amount === null ? trans.__('price not known') : usd(amount);
  return `${time}, ${money}${basis ? ` (${basis})` : ''}`;
}

/** When it is approved by itself, counting down. */
export function Countdown(props: { at: number | null }): JSX.Element | null {
  const { trans } = useSurroundings();
  const left = useLeft(props.at);
  if (left === null) {
    return null;
  }
  return (
    <p className="jp-DeepResearch-hint">
      {left > 0
        ? trans.__('approved by itself in %1', duration(left, trans))
        : trans.__('about to be approved by itself')}
    </p>
  );
}

/** Seconds until a moment; drawn anew every second in its last 90 s, every 15 s before. */
function useLeft(at: number | null): number | null {
  const [, again] = React.useReducer((n: number) => n + 1, 0);
  const left = at === null ? null : Math.max(0, Math.round(at - Date.now() / 1000));
  React.useEffect(() => {
    if (left === null || left === 0) {
      return undefined;
    }
    const timer = window.setTimeout(again, left < 95 ? 1_000 : 15_000);
    return () => window.clearTimeout(timer);
  });
  return left;
}
