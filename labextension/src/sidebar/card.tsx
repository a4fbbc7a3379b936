import * as React from 'react';

import { Refused } from '../api/client';
import { Command } from '../api/shapes';
import { isPutOff, putOff, takeUp } from '../live/later';
import { Project } from '../live/project';
import { Button, Trouble, useDoing } from '../parts/button';
import { useId } from '../parts/field';
import { useForm } from '../parts/draft';
import { useDraft, useSurroundings } from '../parts/surroundings';
import { Cards, ICard } from './cards';
import { Decided } from './decided';
import { Editing, IEdited, opened } from './editing';
import { Facts } from './facts';
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
      {mode !== 'editing' && <Facts project={project} waiting={waiting} isDecided={isDecided} />}
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

interface IActs {
  doing: ReturnType<typeof useDoing>;
  approve(): Promise<void>;
  reject(reason: string, forget: () => void): Promise<void>;
  /** An edit where there is one, and the approval of what it makes where wanted. */
  edit(command: Command | null, isApproved: boolean, forget: () => void): Promise<void>;
}

/** What may be told of the hypothesis, with what becomes of its card. */
function useActs(props: ICardProps): IActs {
  const { trans } = useSurroundings();
  const { project, cards } = props;
  const { hypothesis } = props.card.waiting;
  const doing = useDoing();
  const decide = async (tell: () => Promise<unknown>, sentence: string, forget: () => void): Promise<void> => {
    const isDone = await doing.run(async () => {
      cards.begin(hypothesis);
      try {
        await tell();
      } catch (error) {
        const isTooLate = error instanceof Refused && error.reason === 'already_decided';
        cards.end(hypothesis, isTooLate ? 'too late' : 'refused');
        throw error;
      }
    });
    if (isDone) {
      forget();
      props.onSaid(sentence);
      props.onLeaving();
      cards.end(hypothesis, 'done');
    }
  };
  const approve = (): Promise<number> => project.tell({ kind: 'approve', hypothesis });
  const approved = trans.__('#%1 is approved.', hypothesis);
  return {
    doing,
    approve: () => decide(approve, approved, () => undefined),
    reject: (reason, forget) => {
      const told = reason.trim() ? { reason: reason.trim() } : {};
      const tell = (): Promise<number> => project.tell({ kind: 'reject', hypothesis, ...told });
      return decide(tell, trans.__('#%1 is rejected.', hypothesis), forget);
    },
    edit: async (command, isApproved, forget) => {
      if (isApproved) {
        const both = async (): Promise<unknown> => (command && (await project.tell(command)), approve());
        await decide(both, approved, forget);
      } else if (command === null || (await doing.run(() => project.tell(command)))) {
        forget();
      }
    }
  };
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
        <Button label={reject} title={keyed(reject, 'R')} isBusy={doing.isBusy} does="reject" onClick={props.onReject}>
          {trans.__('Reject')}
        </Button>
        <Button label={off} title={keyed(off, 'L')} isBusy={doing.isBusy} does="later" onClick={later}>
          {trans.__('Later')}
        </Button>
      </div>
    </>
  );
}
