import * as React from 'react';

import { isPutOff, putOff, takeUp } from '../live/later';
import { Project } from '../live/project';
import { Button, Trouble } from '../parts/button';
import { useId } from '../parts/field';
import { useForm } from '../parts/draft';
import { useDraft, useSurroundings } from '../parts/surroundings';
import { IActs, useActs } from './acts';
import { Cards, ICard } from './cards';
import { Decided } from './decided';
import { Editing, IEdited, opened } from './editing';
import { Countdown, Facts } from './facts';
import { Rejecting } from './rejecting';

export interface ICardProps {
  project: Project;
  card: ICard;
  cards: Cards;
  /** One sentence for those who cannot see that the card is gone. */
  onSaid: (sentence: string) => void;
  /** The card is about to go; somebody has to take the focus. */
  onLeaving: () => void;
}

/** One hypothesis that waits: what it claims and costs, and what a person can do with it. */
export function Card(props: ICardProps): JSX.Element {
  const { trans } = useSurroundings();
  const { waiting, isDecided } = props.card;
  const id = useId();
  const whole = React.useRef<HTMLElement>(null);
  const isLater = !isDecided && isPutOff(props.project.id, waiting.hypothesis);
  const show = (): void => {
    whole.current?.focus();
    takeUp(props.project.id, waiting.hypothesis);
  };
  return (
    <article
      ref={whole}
      className="jp-DeepResearch-card"
      tabIndex={0}
      aria-labelledby={id}
      aria-keyshortcuts={isDecided || isLater ? undefined : 'A E R L D'}
      data-project={props.project.id}
      data-hypothesis={waiting.hypothesis}
      data-later={isLater || undefined}
    >
      <h4 id={id}>
        <span className="jp-DeepResearch-number">#{waiting.hypothesis}</span> {waiting.claim}
      </h4>
      {isLater ? (
        <Button label={trans.__('Show hypothesis %1 again', waiting.hypothesis)} does="later" onClick={show}>
          {trans.__('Show')}
        </Button>
      ) : (
        <Inside {...props} whole={whole} />
      )}
    </article>
  );
}

/** What the card is busy with besides being read. */
type Mode = 'reading' | 'editing' | 'rejecting';

function Inside(props: ICardProps & { whole: React.RefObject<HTMLElement> }): JSX.Element {
  const { project, card, cards, whole } = props;
  const { waiting, isDecided } = card;
  const key = `${project.id}:${waiting.hypothesis}`;
  const [edited, edit, forgetEdit] = useForm<IEdited>(`${key}:edit`);
  const [reason, sayReason, forgetReason] = useDraft(`${key}:reject`);
  const [isRejecting, setRejecting] = React.useState(reason !== '');
  const mode: Mode = edited !== null ? 'editing' : isRejecting ? 'rejecting' : 'reading';
  const acts = useActs(props);
  const back = (): void => {
    forgetEdit();
    forgetReason();
    setRejecting(false);
    cards.release(waiting.hypothesis);
    acts.doing.clear();
    whole.current?.focus();
  };
  const leave = (): void => {
    props.onLeaving();
    back();
    cards.dismiss(waiting.hypothesis);
  };
  const keep = (): void => cards.keep(waiting);
  return (
    <>
      {mode !== 'editing' && <Facts project={project} waiting={waiting} />}
      {!isDecided && <Countdown at={waiting.approved_at} />}
      {isDecided && <Decided project={project} hypothesis={waiting.hypothesis} onDismiss={leave} />}
      {edited !== null && (
        <Editing
          {...{ project, waiting, isDecided, edited }}
          doing={acts.doing}
          write={form => (keep(), edit(form))}
          onCancel={back}
          onTell={(command, isApproved) => void acts.edit(command, isApproved, back)}
        />
      )}
      {mode === 'rejecting' && (
        <Rejecting
          {...{ waiting, isDecided, reason }}
          doing={acts.doing}
          write={text => (keep(), sayReason(text))}
          onCancel={back}
          onReject={() => void acts.reject(reason, forgetReason)}
        />
      )}
      {mode === 'reading' && !isDecided && (
        <Buttons
          {...props}
          acts={acts}
          onEdit={() => (keep(), edit(opened(waiting)))}
          onReject={() => setRejecting(true)}
        />
      )}
    </>
  );
}

function Buttons(
  props: ICardProps & { acts: IActs; onEdit: () => void; onReject: () => void; whole: React.RefObject<HTMLElement> }
): JSX.Element {
  const { trans } = useSurroundings();
  const { waiting } = props.card;
  const { doing } = props.acts;
  const n = waiting.hypothesis;
  const later = (): void => {
    props.whole.current?.focus();
    putOff(props.project.id, waiting);
  };
  const [approve, edit] = [trans.__('Approve hypothesis %1', n), trans.__('Edit hypothesis %1', n)];
  const [reject, off] = [trans.__('Reject hypothesis %1', n), trans.__('Later: hypothesis %1', n)];
  const keyed = (what: string, key: string): string => trans.__('%1 (key %2 on the card)', what, key);
  return (
    <>
      <Trouble doing={doing} />
      <div className="jp-DeepResearch-buttons">
        <Button
          kind="accept"
          label={approve}
          title={keyed(approve, 'A')}
          isBusy={doing.isBusy}
          does="approve"
          onClick={() => void props.acts.approve()}
        >
          {trans.__('Approve')}
        </Button>
        <Button label={edit} title={keyed(edit, 'E')} isBusy={doing.isBusy} does="edit" onClick={props.onEdit}>
          {trans.__('Edit')}
        </Button>
        <Button
          label={reject}
          title={keyed(reject, 'R')}
          isBusy={doing.isBusy}
          does="reject"
          onClick={props.onReject}
        >
          {trans.__('Reject')}
        </Button>
        <Button label={off} title={keyed(off, 'L')} isBusy={doing.isBusy} does="later" onClick={later}>
          {trans.__('Later')}
        </Button>
      </div>
    </>
  );
}
