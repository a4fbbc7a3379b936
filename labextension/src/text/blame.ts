/** What a refusal is about, as far as its words name a field of a form. */
export interface IBlame {
  field: 'claim' | 'notebook' | null;
  /** The name of a parameter. */
  parameter: string | null;
  /** `cell ID` or `file PATH`. */
  place: string | null;
}

const CLAIM = /^(edit|try): claim/;
const PARAMETER = /parameter '([^']+)'/;
const PLACE = /edit of ((?:cell|file) [^:]+):/;

/** The field that the server's line names. `notebook` is what was typed as one, which lines on notebooks begin with. */
export function blamed(message: string, notebook = ''): IBlame {
  const isOfNotebook = notebook !== '' && message.includes(notebook.split('/').slice(-1)[0]);
  const parameter = PARAMETER.exec(message)?.[1] ?? null;
  const place = PLACE.exec(message)?.[1] ?? null;
  const field = CLAIM.test(message) ? 'claim' : isOfNotebook && parameter === null ? 'notebook' : null;
  return { field, parameter, place };
}

/** Nothing is named: the line belongs under the whole form. */
export function isOfNone(blame: IBlame): boolean {
  return blame.field === null && blame.parameter === null && blame.place === null;
}
