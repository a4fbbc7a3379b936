/**
 * Calls back once, some milliseconds after it was first asked to: asked again until then, it stays the same call.
 *
 * (Lumino's Throttler forgets what it is asked while its function runs, and a change that comes then would be lost.)
 */
export class Soon {
  constructor(
    private readonly _callback: () => void,
    private readonly _ms: number
  ) {}

  ask(): void {
    if (this._timer === 0) {
      this._timer = window.setTimeout(() => {
        this._timer = 0;
        this._callback();
      }, this._ms);
    }
  }

  cancel(): void {
    window.clearTimeout(this._timer);
    this._timer = 0;
  }

  private _timer = 0;
}
