import { addIcon, refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Commands, SIDEBAR_ID } from '../ids';
import { researchIcon } from '../icon';
import { Complaint } from '../parts/button';
import { Guard } from '../parts/guard';
import { Panel } from '../parts/panel';
import { ISurroundings, useSignal, useSurroundings } from '../parts/surroundings';
import { Costs } from './cost';
import { Directives } from './directive';
import { Experiments } from './experiments';
import { Gpus } from './gpus';
import { Header } from './header';
import { Memory } from './memory';
import { Now } from './now';
import { ProjectList } from './projects';
import { Settings } from './settings';
import { Trying } from './trying';
import { Waiting } from './waiting';

/** The panel "Deep Research" in the left area: the server's projects, and one of them with all that a person steers. */
export class Sidebar extends Panel {
  constructor(surroundings: ISurroundings) {
    super(surroundings);
    const { trans } = surroundings;
    this.id = SIDEBAR_ID;
    this.title.icon = researchIcon;
    this.title.caption = trans.__('Deep Research');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Deep Research'));
  }

  protected draw(): JSX.Element {
    return <Whole />;
  }
}

function Whole(): JSX.Element {
  const { projects, connection, telling, trans } = useSurroundings();
  [projects.changed, connection.troubled, telling.changed].forEach(useSignal);
  return (
    <>
      <Top />
      {connection.trouble !== null && (
        <p className="jp-DeepResearch-reconnecting" role="status">
          {telling.pending > 0
            ? trans.__('Reconnecting: %1. What you told it is sent once it is back.', connection.trouble)
            : trans.__('Reconnecting: %1. What you see may be old.', connection.trouble)}
        </p>
      )}
      <div className="jp-DeepResearch-body">
        {projects.error !== null && <Complaint text={projects.error} />}
        {projects.all === null && projects.error === null && <p>{trans.__('Reading the projects...')}</p>}
        {projects.all?.length === 0 && <Empty />}
        {projects.all !== null && projects.all.length > 0 && <Chosen />}
      </div>
    </>
  );
}

function Top(): JSX.Element {
  const { trans, connection, commands } = useSurroundings();
  const [start, refresh] = [trans.__('Research a notebook...'), trans.__('Refresh')];
  return (
    <div className="jp-DeepResearch-top">
      <h2>{trans.__('Deep Research')}</h2>
      <button title={start} aria-label={start} onClick={() => void commands.execute(Commands.research)}>
        <addIcon.react tag="span" />
      </button>
      <button title={refresh} aria-label={refresh} onClick={() => connection.refresh()}>
        <refreshIcon.react tag="span" />
      </button>
    </div>
  );
}

function Empty(): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <div className="jp-DeepResearch-empty">
      <p>{trans.__('No projects yet.')}</p>
      <p>{trans.__('Right-click a training notebook and choose "Research this notebook...", or say in a notebook:')}</p>
      <pre>{'%load_ext jupyter_deepresearch\n%deepresearch start --metric NAME'}</pre>
    </div>
  );
}

/** The list of projects and the one that was chosen last in this browser, else the first, which stays then. */
function Chosen(): JSX.Element {
  const { projects, project, choice } = useSurroundings();
  useSignal(choice.changed);
  const all = projects.all ?? [];
  // The order changes as projects change: nobody is to type, or press Stop, on another one than was there before.
  const shown = React.useRef('');
  const row = projects.get(choice.project ?? '') ?? projects.get(shown.current) ?? all[0];
  shown.current = row.id;
  const chosen = project(row.id);
  return (
    <>
      <ProjectList all={all} chosen={row.id} onChoose={id => choice.choose(id)} />
      <div key={row.id}>
        <Guard>
          <Header row={row} project={chosen} />
        </Guard>
        <Waiting project={chosen} />
        <Now project={chosen} />
        <Experiments project={chosen} />
        <Trying project={chosen} />
        <Memory project={chosen} />
        <Directives project={chosen} />
        <Costs project={chosen} />
        <Settings project={chosen} />
        <Gpus />
      </div>
    </>
  );
}
