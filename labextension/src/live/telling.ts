import { UUID } from '@lumino/coreutils';
import { ISignal, Signal } from '@lumino/signaling';

import { Client } from '../api/client';
import { Command } from '../api/shapes';
import { Connection } from './connection';

/**
 * Tells projects commands, each exactly once: every press has an id of its own, and a request that got no answer is
 * sent again with the same id once the server is back, which answers what it has done already.
 */
export class Telling {
  constructor(private readonly _connection: Connection) {}

  /** How many commands are on their way. */
  get pending(): number {
    return this._pending;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** @returns the seq of the command's event. @throws {Refused} */
  async tell(project: string, command: Command): Promise<number> {
    const body = { ...command, command_id: UUID.uuid4() };
    const told = await this.insist(client => client.post<{ seq: number }>(`projects/${project}/commands`, body));
    return told.seq;
  }

  /** Anything that may be asked for again and again until there is an answer. @throws {Refused} */
  async insist<T>(question: (client: Client) => Promise<T>, isWanted?: () => boolean): Promise<T> {
    this._count(1);
    try {
      return await this._connection.insist(question, isWanted);
    } finally {
      this._count(-1);
    }
  }

  private _count(by: number): void {
    this._pending += by;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _pending = 0;
}
