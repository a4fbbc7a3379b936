import { Refused } from '../api/client';
import { Command } from '../api/shapes';
import { Project } from '../live/project';
import { IDoing, useDoing } from '../parts/button';
import { useSurroundings } from '../parts/surroundings';
import { Cards, ICard } from './cards';

/** What may be told of a hypothesis that waits. */
export interface IActs {
  doing: IDoing;
  approve(): Promise<void>;
  reject(reason: string, forget: () => void): Promise<void>;
  /** An edit where there is one, and the approval of what it makes where wanted. */
  edit(command: Command | null, isApproved: boolean, forget: () => void): Promise<void>;
}

/** What may be told of the hypothesis, with what becomes of its card. */
export function useActs(props: {
  project: Project;
  card: ICard;
  cards: Cards;
  onSaid: (sentence: string) => void;
  onLeaving: () => void;
}): IActs {
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
