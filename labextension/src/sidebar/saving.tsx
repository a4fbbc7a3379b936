import * as React from 'react';

import { Command, ISettings } from '../api/shapes';
import { Project } from '../live/project';
import { useBlamedFocus } from '../parts/blamed';
import { Button, IDoing, useDoing } from '../parts/button';
import { useForm } from '../parts/draft';
import { useSurroundings } from '../parts/surroundings';

/** Settings that are being changed: what was typed is kept until the server has it and its answer shows it. */
export interface IChanges {
  /** What was typed, by the setting's key; what is not in it stands as the server has it. */
  typed: Readonly<Record<string, string>>;
  type(key: string, text: string): void;
  save(command: Command): Promise<void>;
  undo(): void;
  /** Something typed is wrong: the first such field gets the focus. */
  blame(): void;
  isSaving: boolean;
  isSaved: boolean;
  doing: IDoing;
  /** Where the focus goes once the buttons are gone. */
  home: React.RefObject<HTMLFieldSetElement>;
}

export function useChanges(project: Project, settings: ISettings, name: string): IChanges {
  const [form, keep, forget] = useForm<Readonly<Record<string, string>>>(`${name}:${project.id}`);
  const [sent, setSent] = React.useState<ISettings | null>(null);
  const [isSaved, setSaved] = React.useState(false);
  const home = React.useRef<HTMLFieldSetElement>(null);
  const doing = useDoing();
  const typed = form ?? {};
  const isSaving = doing.isBusy || sent !== null;
  const over = (): void => {
    const isInside = home.current?.contains(document.activeElement) ?? false;
    forget();
    setSent(null);
    if (isInside) {
      home.current?.querySelector<HTMLElement>('select, input')?.focus();
    }
  };
  React.useEffect(() => {
    if (sent !== null && sent !== settings) {
      over();
      setSaved(true);
    }
  }, [sent, settings]);
  const blame = (): void => home.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  useBlamedFocus(home, doing.error?.message ?? null);
  return {
    typed,
    blame,
    type: (key, text) => {
      if (isSaving) {
        return; // It would be forgotten with what is sent.
      }
      keep({ ...typed, [key]: text });
      setSaved(false);
      doing.clear();
    },
    save: async command => {
      if (await doing.run(() => project.tell(command))) {
        setSent(settings);
        project.settings.expire();
      }
    },
    undo: () => {
      over();
      doing.clear();
    },
    isSaving,
    isSaved,
    doing,
    home
  };
}

/** "Save" and "Undo", there while something is changed. */
export function SaveButtons(props: {
  changes: IChanges;
  isChanged: boolean;
  /** What is changed: the end of the buttons' names. */
  what: string;
  onSave: () => void;
}): JSX.Element {
  const { trans } = useSurroundings();
  const { changes, what } = props;
  return (
    <div className="jp-DeepResearch-buttons">
      {(props.isChanged || changes.isSaving) && (
        <>
          <Button kind="accept" label={trans.__('Save %1', what)} isBusy={changes.isSaving} onClick={props.onSave}>
            {changes.isSaving ? trans.__('Saving...') : trans.__('Save')}
          </Button>
          <Button label={trans.__('Undo the change of %1', what)} isBusy={changes.isSaving} onClick={changes.undo}>
            {trans.__('Undo')}
          </Button>
        </>
      )}
      <span role="status">{changes.isSaved && trans.__('Saved.')}</span>
    </div>
  );
}
