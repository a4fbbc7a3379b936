import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { IProject, IResult, ProjectState } from './api';

/** Colour is never the only sign of a state: each has a shape and a word too. */
const SHAPE: Record<ProjectState, string> = {
  failed: '!',
  finished: '✓',
  stopped: '■',
  paused: '‖',
  running: '▶',
  waiting_approval: '?'
};

/** One project: its state, the sentence that says why, and its two numbers. */
export function ProjectCard(props: { project: IProject; trans: TranslationBundle }): JSX.Element {
  const { project, trans } = props;
  return (
    <li className="jp-DeepResearch-project" data-state={project.state} title={project.path}>
      <div className="jp-DeepResearch-title">
        <span className="jp-DeepResearch-name">{project.project}</span>
        <span className="jp-DeepResearch-state">
          <span aria-hidden="true">{SHAPE[project.state]} </span>
          {stateWord(project.state, trans)}
        </span>
      </div>
      <p>{project.reason}</p>
      <dl>
        <Figure term={trans.__('cycle')} text={String(project.cycle)} />
        <Figure term={trans.__('best')} text={resultText(project.champion, trans)} />
        <Figure term={trans.__('baseline')} text={resultText(project.baseline, trans)} />
      </dl>
    </li>
  );
}

function Figure(props: { term: string; text: string }): JSX.Element {
  return (
    <div>
      <dt>{props.term}</dt>
      <dd>{props.text}</dd>
    </div>
  );
}

function stateWord(state: ProjectState, trans: TranslationBundle): string {
  switch (state) {
    case 'failed':
      return trans.__('failed');
    case 'finished':
      return trans.__('finished');
    case 'stopped':
      return trans.__('stopped');
    case 'paused':
      return trans.__('paused');
    case 'running':
      return trans.__('running');
    case 'waiting_approval':
      return trans.__('waiting for you');
  }
}

/** "0.9822 ±0.0016", or a dash where nothing is measured yet. */
function resultText(result: IResult | null, trans: TranslationBundle): string {
  if (result === null) {
    return '–';
  }
  const value = figure(result.value);
  if (!result.interval) {
    return value;
  }
  const [low, high] = result.interval;
  return trans.__('%1 ±%2', value, figure((high - low) / 2, 2));
}

function figure(value: number, digits = 4): string {
  return String(Number(value.toPrecision(digits)));
}
