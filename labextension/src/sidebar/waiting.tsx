import * as React from 'react';

import { laterChanged, review } from '../live/later';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { Section } from '../parts/section';
import { useAnswer, useSignal, useSurroundings } from '../parts/surroundings';
import { Card } from './card';
import { Cards, ICard } from './cards';

const MOST = 20;

/** The hypotheses that wait for a person, as cards to decide on. */
export function Waiting(props: { project: Project }): JSX.Element {
  const { trans, projects } = useSurroundings();
  useSignal(projects.changed);
  const count = projects.get(props.project.id)?.waiting.length ?? 0;
  return (
    <Section name="waiting" title={trans.__('Waiting for you')} summary={count || undefined}>
      <CardList project={props.project} />
    </Section>
  );
}

function CardList(props: { project: Project }): JSX.Element {
  const { trans, drafts } = useSurroundings();
  const { project } = props;
  const [cards] = React.useState(() => new Cards(drafts, project.id));
  const [said, say] = React.useState('');
  const [most, showMore] = React.useState(MOST);
  const list = React.useRef<HTMLDivElement>(null);
  const status = useAnswer(project.status);
  useSignal(laterChanged);
  useSignal(cards.changed);
  React.useEffect(() => (status ? review(project.id, status.waiting) : undefined), [project, status]);
  const shown = status && cards.shown(status.waiting, isLookedAt(list.current));
  const moveOn = useMovingOn(list, shown ?? []);
  if (shown === null) {
    const { error } = project.status;
    return error === null ? <p>{trans.__('Reading...')}</p> : <Complaint text={error} />;
  }
  const over = shown.length - most;
  return (
    <div ref={list} className="jp-DeepResearch-cards">
      <p role="status" tabIndex={-1}>
        {said || (shown.length === 0 && <Nothing />)}
      </p>
      {shown.slice(0, most).map(card => (
        <Card
          key={card.waiting.hypothesis}
          project={project}
          card={card}
          cards={cards}
          onSaid={say}
          onLeaving={() => moveOn(card)}
        />
      ))}
      {over > 0 && (
        <button type="button" className="jp-DeepResearch-plain" onClick={() => showMore(most + MOST)}>
          {trans.__('Show more (%1)', over)}
        </button>
      )}
    </div>
  );
}

function Nothing(): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <span className="jp-DeepResearch-hint">
      {trans.__('Nothing waits for you. With approval "ask" (in the settings below), each hypothesis waits here.')}
    </span>
  );
}

function isLookedAt(list: HTMLElement | null): boolean {
  return list !== null && (list.matches(':hover') || list.contains(document.activeElement));
}

/** A card that goes hands the focus on: to the next card, to the one before it, to what is said when none is left. */
function useMovingOn(
  list: React.RefObject<HTMLDivElement>,
  shown: readonly ICard[]
): (from: ICard) => void {
  const wanted = React.useRef<{ from: number; to: number | null } | null>(null);
  React.useEffect(() => {
    const all = list.current;
    if (wanted.current === null || all === null || all.querySelector(selector(wanted.current.from)) !== null) {
      return;
    }
    const { to } = wanted.current;
    wanted.current = null;
    if (document.activeElement === document.body || document.activeElement === null) {
      (all.querySelector<HTMLElement>(to === null ? '[role=status]' : selector(to)) ?? all).focus();
    }
  });
  return from => {
    const at = shown.findIndex(card => card.waiting.hypothesis === from.waiting.hypothesis);
    const next = shown[at + 1] ?? shown[at - 1];
    wanted.current = { from: from.waiting.hypothesis, to: next?.waiting.hypothesis ?? null };
  };
}

function selector(hypothesis: number): string {
  return `[data-hypothesis="${hypothesis}"]`;
}
