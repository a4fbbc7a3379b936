import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { IGuess } from '../api/shapes';
import { Field, useId } from '../parts/field';
import { Select } from '../parts/select';
import { useSurroundings } from '../parts/surroundings';
import { StartForm } from './form';
import { BRIEF_LIMIT, IWish } from './wish';

interface IFields {
  form: StartForm;
  guess: IGuess;
  wish: IWish;
}

/** What is measured: the metric, of which the notebook's own are offered, and which way is better. */
export function Objective(props: IFields): JSX.Element {
  const { trans } = useSurroundings();
  const { form, guess, wish } = props;
  const offers = useId();
  const isNew = guess.project !== null && wish.metric !== guess.metric;
  const hint = isNew
    ? trans.__('Another metric is another measure: a new baseline is run, and older values are not compared.')
    : guess.metrics.length > 1
      ? trans.__('Seen in the notebook: %1', guess.metrics.map(likely => likely.name).join(', '))
      : undefined;
  return (
    <div className="jp-DeepResearch-pair">
      <Field label={trans.__('Metric')} error={form.problems.metric} hint={hint}>
        {ties => (
          <>
            <input
              {...ties}
              className="jp-mod-styled"
              list={offers}
              aria-required
              value={wish.metric}
              onChange={event => form.write('metric', event.target.value)}
            />
            <datalist id={offers}>
              {guess.metrics.map(likely => (
                <option key={likely.name} value={likely.name} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Choice
        {...props}
        place="direction"
        label={trans.__('Better is')}
        options={[
          ['maximize', trans.__('higher')],
          ['minimize', trans.__('lower')],
          ['', trans.__('as the name says')]
        ]}
      />
    </div>
  );
}

/** Who decides, and how long a hypothesis waits for that. */
export function Approval(props: IFields): JSX.Element {
  const { trans } = useSurroundings();
  const isAsking = props.wish.approval === 'ask';
  return (
    <div className="jp-DeepResearch-pair">
      <Choice
        {...props}
        place="approval"
        label={trans.__('Hypotheses')}
        options={[
          ['auto', trans.__('run at once')],
          ['ask', trans.__('wait for me')]
        ]}
      />
      {isAsking && (
        <Text
          {...props}
          place="minutes"
          label={trans.__('Run by themselves after (minutes)')}
          empty={trans.__('never')}
        />
      )}
    </div>
  );
}

/** The limits that are asked for at a start; all others are in the sidebar's settings. */
export function Limits(props: IFields): JSX.Element {
  const { trans } = useSurroundings();
  const none = trans.__('no limit');
  return (
    <div className="jp-DeepResearch-limits" role="group" aria-label={trans.__('Limits')}>
      <Text {...props} place="cycles" label={trans.__('Cycles')} empty={none} />
      <Text {...props} place="hours" label={trans.__('Hours')} empty={none} />
      <Text {...props} place="usd" label={trans.__('US dollars')} empty={none} />
    </div>
  );
}

export function Proposer(props: IFields): JSX.Element {
  const { trans } = useSurroundings();
  const { researcher } = props.guess;
  const isLeft = props.wish.researcher === '';
  return (
    <Choice
      {...props}
      place="researcher"
      label={trans.__('Researcher')}
      hint={isLeft ? researcher.sentence : undefined}
      options={[
        ['', researcher.kind === null ? trans.__('as configured') : trans.__('as configured: %1', researcher.kind)],
        ['claude', trans.__('claude (a language model, by its API)')],
        ['claude-cli', trans.__('claude-cli (by the command claude)')],
        ['sweep', trans.__('sweep (offline, searches parameters)')]
      ]}
    />
  );
}

/** The person's words to the researcher. A brief that is there already is shown; its file is where it is changed. */
export function Brief(props: IFields): JSX.Element {
  const { trans } = useSurroundings();
  const { form, guess, wish } = props;
  const isThere = guess.brief !== '';
  const hint = isThere
    ? trans.__('This is PROJECT_BRIEF.md; change it there.')
    : trans.__('What the researcher should know. Kept as PROJECT_BRIEF.md: %1', counted(wish.brief, trans));
  return (
    <Field label={trans.__('Brief')} error={form.problems.brief} hint={hint}>
      {ties => (
        <textarea
          {...ties}
          className="jp-mod-styled"
          rows={4}
          readOnly={isThere}
          value={isThere ? guess.brief : wish.brief}
          onChange={event => form.write('brief', event.target.value)}
        />
      )}
    </Field>
  );
}

function counted(text: string, trans: TranslationBundle): string {
  return trans.__('%1 of %2 characters.', text.length.toLocaleString(), BRIEF_LIMIT.toLocaleString());
}

function Text(props: IFields & { place: keyof IWish; label: string; empty: string }): JSX.Element {
  const { form, wish, place } = props;
  return (
    <Field label={props.label} error={form.problems[place]}>
      {ties => (
        <input
          {...ties}
          className="jp-mod-styled"
          inputMode="decimal"
          placeholder={props.empty}
          value={wish[place]}
          onChange={event => form.write(place, event.target.value)}
        />
      )}
    </Field>
  );
}

function Choice(
  props: IFields & {
    place: keyof IWish;
    label: string;
    hint?: string;
    options: readonly (readonly [value: string, word: string])[];
  }
): JSX.Element {
  const { form, wish, place } = props;
  return (
    <Field label={props.label} error={form.problems[place]} hint={props.hint}>
      {ties => (
        <Select
          ties={ties}
          value={wish[place]}
          options={props.options}
          onChoose={value => form.write(place, value)}
        />
      )}
    </Field>
  );
}
