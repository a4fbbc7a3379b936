import { ISignal, Signal } from '@lumino/signaling';

import { IWaiting } from '../api/shapes';
import { Drafts } from '../live/drafts';

/** One card: what waits, or what waited until somebody else decided it. */
export interface ICard {
  waiting: IWaiting;
  isDecided: boolean;
}

/**
 * Which cards of a project are shown. One that somebody else decides stays in its place until it is dismissed,
 * if a person has typed on it or is looking at the cards: what was typed is not lost, and no other card moves under
 * a click.
 */
export class Cards {
  constructor(
    private readonly _drafts: Drafts,
    private readonly _project: string
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The cards in the order of their numbers, now that `waiting` is what waits. */
  shown(waiting: readonly IWaiting[], isLookedAt: boolean): readonly ICard[] {
    const numbers = new Set(waiting.map(w => w.hypothesis));
    const typed = this._typed();
    const stays = (card: ICard): boolean => card.isDecided || isLookedAt || card.waiting.hypothesis in typed;
    const former = [...this._shown, ...Object.values(typed).map(w => ({ waiting: w, isDecided: false }))];
    const found = new Map<number, ICard>();
    former.filter(card => !numbers.has(card.waiting.hypothesis)).forEach(card => {
      const isOurs = this._deciding.has(card.waiting.hypothesis);
      if (isOurs || stays(card)) {
        found.set(card.waiting.hypothesis, { ...card, isDecided: card.isDecided || !isOurs });
      }
    });
    waiting
      .filter(w => !this._done.has(w.hypothesis))
      .forEach(w => found.set(w.hypothesis, { waiting: w, isDecided: this._tooLate.has(w.hypothesis) }));
    [this._done, this._tooLate].forEach(set => set.forEach(n => numbers.has(n) || set.delete(n)));
    this._numbers = numbers;
    this._shown = [...found.values()].sort((a, b) => a.waiting.hypothesis - b.waiting.hypothesis);
    return this._shown;
  }

  /** Something is typed on this card. */
  keep(waiting: IWaiting): void {
    const typed = this._typed();
    if (!(waiting.hypothesis in typed)) {
      this._drafts.set(this._key, JSON.stringify({ ...typed, [waiting.hypothesis]: waiting }));
    }
  }

  /** Nothing is typed on this card any more. */
  release(hypothesis: number): void {
    const { [hypothesis]: gone, ...others } = this._typed();
    if (gone !== undefined) {
      this._drafts.set(this._key, JSON.stringify(others));
    }
  }

  /** A decision of ours is on its way: the card stays until there is an answer. */
  begin(hypothesis: number): void {
    this._deciding.add(hypothesis);
  }

  /** The answer: it was done, somebody else was first, or it was refused for another reason. */
  end(hypothesis: number, how: 'done' | 'too late' | 'refused'): void {
    this._deciding.delete(hypothesis);
    if (how === 'done') {
      this.dismiss(hypothesis);
    } else if (how === 'too late') {
      this._shown = this._shown.map(card => ({
        ...card,
        isDecided: card.isDecided || card.waiting.hypothesis === hypothesis
      }));
      this._tooLate.add(hypothesis); // An older answer may still have it.
    }
    this._changed.emit();
  }

  /** The card goes. */
  dismiss(hypothesis: number): void {
    this.release(hypothesis);
    this._shown = this._shown.filter(card => card.waiting.hypothesis !== hypothesis);
    if (this._numbers.has(hypothesis)) {
      this._done.add(hypothesis); // An older answer may still have it.
    }
    this._changed.emit();
  }

  private get _key(): string {
    return `${this._project}:typed`;
  }

  private _typed(): Readonly<Record<string, IWaiting>> {
    try {
      return JSON.parse(this._drafts.get(this._key) ?? '{}') as Record<string, IWaiting>;
    } catch {
      return {}; // Not written by us.
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _deciding = new Set<number>();
  private readonly _done = new Set<number>();
  private readonly _tooLate = new Set<number>();
  private _numbers: ReadonlySet<number> = new Set();
  private _shown: readonly ICard[] = [];
}
