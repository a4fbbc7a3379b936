import * as React from 'react';

import { IMemory } from '../api/shapes';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { FileLink } from '../lab/file_link';
import { Gauge } from '../parts/gauge';
import { Section } from '../parts/section';
import { useAnswer, useSurroundings } from '../parts/surroundings';

type Fate = 'entered' | 'changed' | 'dropped' | 'kept';

const SIGNS: Record<Fate, string> = { entered: '+', changed: '~', dropped: '−', kept: ' ' };

/** Both tiers of the memory as the researcher reads them, and what the latest verdict changed of the log. */
export function Memory(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const sizes = useAnswer(props.project.status)?.memory;
  const [brief, log] = [sizes?.brief_chars.toLocaleString(), sizes?.log_chars.toLocaleString()];
  return (
    <Section
      name="memory"
      title={trans.__('Memory')}
      isOpenAtFirst={false}
      summary={sizes && trans.__('brief %1, log %2', brief, log)}
    >
      <Tiers project={props.project} />
    </Section>
  );
}

function Tiers(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const memory = useAnswer(props.project.memory);
  const error = props.project.memory.error;
  if (memory === null) {
    return error === null ? <p>{trans.__('Reading the memory...')}</p> : <Complaint text={error} />;
  }
  return (
    <>
      {error !== null && <Complaint text={error} />}
      <Brief project={props.project} memory={memory} />
      <Log project={props.project} memory={memory} />
      {memory.notes !== '' && (
        <>
          <h4>{trans.__('Your lines in MEMORY_LOG.md')}</h4>
          <Lines label={trans.__('Your lines')} lines={memory.notes.split('\n').map(line => [line, 'kept'])} />
        </>
      )}
    </>
  );
}

function Brief(props: { project: Project; memory: IMemory }): JSX.Element {
  const { trans } = useSurroundings();
  const { brief, brief_limit_chars } = props.memory;
  return (
    <>
      <Gauge label={trans.__('Brief')} value={brief.length} limit={brief_limit_chars} />
      {brief === '' ? (
        <p className="jp-DeepResearch-hint">
          {trans.__('No brief. What you write into PROJECT_BRIEF.md in its folder is read before each step.')}
        </p>
      ) : (
        <>
          <Lines label={trans.__('Brief')} lines={brief.split('\n').map(line => [line, 'kept'])} />
          <OpenFile project={props.project} name="PROJECT_BRIEF.md" />
        </>
      )}
    </>
  );
}

function Log(props: { project: Project; memory: IMemory }): JSX.Element {
  const { trans } = useSurroundings();
  const { log, log_limit_chars, entered, changed, dropped } = props.memory;
  const fate = (line: string): Fate =>
    entered.includes(line) ? 'entered' : changed.includes(line) ? 'changed' : 'kept';
  const lines = log.trimEnd().split('\n');
  return (
    <>
      <Gauge label={trans.__('Log')} value={log.length} limit={log_limit_chars} />
      <Lines label={trans.__('Log')} lines={lines.map(line => [line, fate(line)])} />
      {dropped.length > 0 && (
        <>
          <h4>{trans.__('No longer in it')}</h4>
          <Lines label={trans.__('No longer in the log')} lines={dropped.map(line => [line, 'dropped'])} />
        </>
      )}
      <OpenFile project={props.project} name="MEMORY_LOG.md" />
      {entered.length + changed.length + dropped.length > 0 && (
        <p className="jp-DeepResearch-hint">
          {trans.__('By the latest verdict: + is new, ~ reads otherwise now, − was dropped.')}
        </p>
      )}
    </>
  );
}

/** Lines of a text with what became of each as a sign before it. */
function Lines(props: { label: string; lines: readonly (readonly [string, Fate])[] }): JSX.Element {
  const { trans } = useSurroundings();
  const words: Record<Fate, string> = {
    entered: trans.__('new:'),
    changed: trans.__('changed:'),
    dropped: trans.__('dropped:'),
    kept: ''
  };
  return (
    <div className="jp-DeepResearch-lines" role="group" aria-label={props.label} tabIndex={0}>
      {props.lines.map(([line, fate], index) => (
        <div key={index} data-fate={fate}>
          <span aria-hidden="true">{SIGNS[fate]}</span>
          <span>
            {words[fate] !== '' && <span className="jp-DeepResearch-unseen">{words[fate]} </span>}
            {line}
          </span>
        </div>
      ))}
    </div>
  );
}

function OpenFile(props: { project: Project; name: string }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <p>
      <FileLink project={props.project.id} path={props.name}>
        {trans.__('Open %1', props.name)}
      </FileLink>
    </p>
  );
}
