import { MergeView } from '@codemirror/merge';
import { EditorState, Extension } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { IEditorLanguageRegistry, jupyterTheme } from '@jupyterlab/codemirror';
import { TranslationBundle } from '@jupyterlab/translation';

import { ICode } from '../api/shapes';

/**
 * Both sides of a place in Jupyter's own editor, side by side, what is the same folded away.
 *
 * @returns a function that takes it away again.
 */
export async function merge(
  parent: HTMLElement,
  place: ICode['places'][number],
  title: string,
  languages: IEditorLanguageRegistry | null,
  trans: TranslationBundle
): Promise<() => void> {
  const language = await highlighting(place, languages);
  const side = (name: string): Extension[] => [
    EditorView.editable.of(false),
    EditorState.readOnly.of(true),
    // Scrolled by keyboard: the text is not edited, but it can have the focus.
    EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': `${title}, ${name}`, 'aria-readonly': 'true' }),
    EditorState.phrases.of({ '$ unchanged lines': trans.__('$ unchanged lines') }),
    lineNumbers(),
    jupyterTheme,
    ...language
  ];
  parent.replaceChildren();
  const view = new MergeView({
    a: { doc: place.before ?? '', extensions: side(trans.__('before')) },
    b: { doc: place.after ?? '', extensions: side(trans.__('after')) },
    parent,
    collapseUnchanged: { margin: 2, minSize: 4 },
    highlightChanges: true,
    gutter: true
  });
  return () => view.destroy();
}

async function highlighting(
  place: ICode['places'][number],
  languages: IEditorLanguageRegistry | null
): Promise<Extension[]> {
  if (languages === null) {
    return [];
  }
  const found = place.kind === 'cell' ? languages.findByName('python') : languages.findByFileName(place.place);
  const loaded = found ? await languages.getLanguage(found.name) : null;
  return loaded?.support ? [loaded.support] : [];
}
