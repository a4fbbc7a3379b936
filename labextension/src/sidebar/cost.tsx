import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { ICost, ISpent } from '../api/shapes';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { Section } from '../parts/section';
import { useAnswer, useSurroundings } from '../parts/surroundings';
import { usd } from '../text/figures';

const OFFLINE = 'sweep';

/** The bill: what calls to language models have cost, and that none is made to watch a training. */
export function Costs(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const usage = useAnswer(props.project.status)?.usage;
  const summary = usage && (usage.calls === 0 ? trans.__('no calls') : trans.__('%1 in all', usd(usage.usd)));
  return (
    <Section name="cost" title={trans.__('Cost')} isOpenAtFirst={false} summary={summary}>
      <Bill project={props.project} />
    </Section>
  );
}

function Bill(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const cost = useAnswer(props.project.cost);
  const settings = useAnswer(props.project.settings);
  const { error } = props.project.cost;
  if (cost === null) {
    return error === null ? <p>{trans.__('Reading the bill...')}</p> : <Complaint text={error} />;
  }
  const aside = cost.calls_while_training - cost.calls_about_live_runs;
  const isOffline = settings?.researcher.kind === OFFLINE;
  return (
    <>
      {error !== null && <Complaint text={error} />}
      {isOffline && (
        <p>{trans.__('The researcher is offline: it calls no language model and costs nothing.')}</p>
      )}
      {cost.calls > 0 ? <Sums cost={cost} /> : !isOffline && <p>{trans.__('No calls to a language model yet.')}</p>}
      {cost.calls > 0 && (
        <>
          <Table caption={trans.__('By phase')} rows={cost.by_phase} />
          {Object.keys(cost.by_model).length > 1 && <Table caption={trans.__('By model')} rows={cost.by_model} />}
        </>
      )}
      <p className="jp-DeepResearch-hint">
        {trans.__('Calls about runs in training: %1.', cost.calls_about_live_runs)}{' '}
        {cost.calls_while_training > 0 &&
          trans.__('Calls about other things in that time: %1.', aside)}
      </p>
    </>
  );
}

function Sums(props: { cost: ICost }): JSX.Element {
  const { trans } = useSurroundings();
  const { cost } = props;
  const today = cost.by_day[new Date().toISOString().slice(0, 10)]; // Days of the bill are UTC.
  return (
    <>
      <dl className="jp-DeepResearch-sums">
        <dt>{trans.__('Today (UTC)')}</dt>
        <dd>{today === undefined ? trans.__('no calls') : spent(today, trans)}</dd>
        <dt>{trans.__('In all')}</dt>
        <dd>{spent(cost, trans)}</dd>
      </dl>
      {cost.unpriced_calls > 0 && (
        <p className="jp-DeepResearch-hint">
          {trans._n('%1 call had no known price.', '%1 calls had no known price.', cost.unpriced_calls)}
        </p>
      )}
    </>
  );
}

function spent(sum: ISpent, trans: TranslationBundle): string {
  const calls = trans._n('%1 call', '%1 calls', sum.calls);
  return trans.__('%1 for %2', usd(sum.usd), calls);
}

function tokens(sum: ISpent, trans: TranslationBundle): string {
  return trans.__('%1 in, %2 of them from a cache; %3 out', sum.tokens_in, sum.tokens_cached, sum.tokens_out);
}

function Table(props: { caption: string; rows: Readonly<Record<string, ISpent>> }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <div className="jp-DeepResearch-table" role="group" aria-label={props.caption} tabIndex={0}>
      <table>
        <caption>{props.caption}</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">{trans.__('Calls')}</th>
            <th scope="col">{trans.__('Tokens')}</th>
            <th scope="col">{trans.__('USD')}</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(props.rows).map(([name, sum]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{sum.calls}</td>
              <td title={tokens(sum, trans)}>
                {(sum.tokens_in + sum.tokens_out).toLocaleString()}
              </td>
              <td>{usd(sum.usd)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
