export const PLUGIN = 'jupyter-deepresearch:plugin';
export const CATEGORY = 'Deep Research';

/** The id of the sidebar's widget. */
export const SIDEBAR_ID = 'jupyter-deepresearch-panel';

/** The ids of our commands, which menus, shortcuts and other extensions name. */
export const Commands = {
  open: 'deepresearch:open-sidebar',
  research: 'deepresearch:research-notebook',
  approve: 'deepresearch:approve',
  edit: 'deepresearch:edit',
  reject: 'deepresearch:reject',
  later: 'deepresearch:later',
  showChange: 'deepresearch:show-change',
  openNotebook: 'deepresearch:open-notebook',
  showExperiment: 'deepresearch:show-experiment',
  branch: 'deepresearch:branch',
  take: 'deepresearch:take',
  reproduce: 'deepresearch:reproduce',
  fork: 'deepresearch:fork',
  handBack: 'deepresearch:hand-back'
} as const;

export const NO_ARGUMENTS = { args: { type: 'object' as const, properties: {} } };

/** Arguments that name an experiment of a project. */
export const EXPERIMENT_ARGUMENTS = {
  args: {
    type: 'object' as const,
    properties: {
      project: { type: 'string' as const, description: 'The id of the project' },
      experiment: { type: 'number' as const, description: 'The number of the experiment' }
    },
    required: ['project', 'experiment']
  }
};
