import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

import { Commands, EXPERIMENT_ARGUMENTS } from '../ids';
import { researchIcon } from '../icon';
import { ILab } from '../lab/lab';
import { ExperimentWidget, Part } from './widget';

const NAMESPACE = 'jupyter-deepresearch-experiment';

/** What the command is given: which experiment, and which part of it to begin with. */
interface IShown {
  project: string;
  experiment: number;
  part?: Part;
}

/** An experiment looked at in the main area: its runs, its curves, its change, its output. One widget for each. */
export function addMain(lab: ILab): void {
  const { trans } = lab.surroundings;
  const tracker = new WidgetTracker<MainAreaWidget<ExperimentWidget>>({ namespace: NAMESPACE });
  lab.app.commands.addCommand(Commands.showExperiment, {
    label: args => partLabel(args.part, trans),
    caption: trans.__('Show the runs, the curves and the change of an experiment'),
    icon: args => (args.part === undefined ? researchIcon : undefined),
    describedBy: EXPERIMENT_ARGUMENTS,
    execute: args => {
      const shown = args as unknown as IShown;
      const widget = found(tracker, shown) ?? made(lab, tracker, shown);
      widget.content.bring(shown.part ?? null);
      lab.app.shell.activateById(widget.id);
    }
  });
  void lab.restorer?.restore(tracker, {
    command: Commands.showExperiment,
    args: widget => ({ project: widget.content.project.id, experiment: widget.content.experiment }),
    name: widget => `${widget.content.project.id}-${widget.content.experiment}`
  });
}

/** The experiment's menu leads to each part of the same view. */
function partLabel(part: unknown, trans: TranslationBundle): string {
  const labels: Record<Part, string> = {
    facts: trans.__('Details'),
    change: trans.__('Diff to the Parent'),
    champion: trans.__('Diff to the Champion'),
    curves: trans.__('Curves over the Champion')
  };
  return labels[part as Part] ?? labels.facts;
}

type Tracker = WidgetTracker<MainAreaWidget<ExperimentWidget>>;

function found(tracker: Tracker, shown: IShown): MainAreaWidget<ExperimentWidget> | undefined {
  return tracker.find(({ content }) => {
    return !content.isDisposed && content.project.id === shown.project && content.experiment === shown.experiment;
  });
}

function made(lab: ILab, tracker: Tracker, shown: IShown): MainAreaWidget<ExperimentWidget> {
  const { trans } = lab.surroundings;
  const content = new ExperimentWidget(lab.surroundings, lab.surroundings.project(shown.project), shown.experiment);
  const widget = new MainAreaWidget({ content });
  widget.id = `${NAMESPACE}-${shown.project}-${shown.experiment}`;
  widget.title.label = trans.__('Experiment %1', shown.experiment);
  const project = lab.surroundings.projects.get(shown.project)?.project ?? shown.project;
  widget.title.caption = trans.__('Experiment %1 of %2', shown.experiment, project);
  widget.title.icon = researchIcon;
  widget.title.closable = true;
  // Jupyter Notebook shows one document and nothing else in its main area.
  lab.app.shell.add(widget, lab.shell === null ? 'down' : 'main');
  void tracker.add(widget);
  return widget;
}
