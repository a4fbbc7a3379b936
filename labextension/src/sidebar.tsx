import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, refreshIcon, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { researchIcon } from './icon';
import { ProjectsModel } from './model';
import { ProjectCard } from './project';

export const SIDEBAR_ID = 'jupyter-deepresearch-panel';

/** The panel "Deep Research" in the left area: the projects that the server knows, each with its state and numbers. */
export class Sidebar extends ReactWidget {
  constructor(model: ProjectsModel, trans: TranslationBundle) {
    super();
    this._model = model;
    this._trans = trans;
    this.id = SIDEBAR_ID;
    this.addClass('jp-DeepResearch');
    this.title.icon = researchIcon;
    this.title.caption = trans.__('Deep Research');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Deep Research'));
  }

  dispose(): void {
    this._model.dispose();
    super.dispose();
  }

  protected render(): JSX.Element {
    return (
      <UseSignal signal={this._model.changed}>
        {() => (
          <>
            <Header trans={this._trans} onRefresh={() => void this._model.refresh()} />
            <Body trans={this._trans} model={this._model} />
          </>
        )}
      </UseSignal>
    );
  }

  private readonly _model: ProjectsModel;
  private readonly _trans: TranslationBundle;
}

function Header(props: { trans: TranslationBundle; onRefresh: () => void }): JSX.Element {
  const label = props.trans.__('Refresh the projects');
  return (
    <div className="jp-DeepResearch-header">
      <h2>{props.trans.__('Deep Research')}</h2>
      <button className="jp-DeepResearch-refresh" title={label} aria-label={label} onClick={props.onRefresh}>
        <refreshIcon.react tag="span" />
      </button>
    </div>
  );
}

function Body(props: { trans: TranslationBundle; model: ProjectsModel }): JSX.Element {
  const { trans, model } = props;
  return (
    <div className="jp-DeepResearch-body">
      {model.error !== null && (
        <p className="jp-DeepResearch-error" role="alert">
          {trans.__('The projects could not be read: %1. Trying again in a few seconds.', model.error)}
        </p>
      )}
      {model.projects === null && model.error === null && <p>{trans.__('Reading the projects...')}</p>}
      {model.projects?.length === 0 && <Empty trans={trans} />}
      {model.projects !== null && model.projects.length > 0 && (
        <ul className="jp-DeepResearch-projects" aria-label={trans.__('Projects')}>
          {model.projects.map(project => (
            <ProjectCard key={project.id} project={project} trans={trans} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Empty(props: { trans: TranslationBundle }): JSX.Element {
  const { trans } = props;
  return (
    <div className="jp-DeepResearch-empty">
      <p>{trans.__('No projects yet.')}</p>
      <p>{trans.__('Start one from a notebook that lies beside your training notebook:')}</p>
      <pre>{'%load_ext jupyter_deepresearch\n%deepresearch start --metric NAME'}</pre>
    </div>
  );
}
