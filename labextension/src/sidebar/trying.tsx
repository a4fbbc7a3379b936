import * as React from 'react';

import { Project } from '../live/project';
import { Section } from '../parts/section';
import { useSurroundings } from '../parts/surroundings';

export function Trying(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Section name="trying" title={trans.__('Try an idea')} isOpenAtFirst={false}>
      <p>{props.project.id}</p>
    </Section>
  );
}
