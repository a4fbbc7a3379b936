import { LabIcon } from '@jupyterlab/ui-components';

/** A magnifying glass with a rising curve in it. `jp-icon3` lets the theme colour its strokes. */
const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g fill="none">
    <g class="jp-icon3" stroke="#616161" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
      <circle cx="10.5" cy="10.5" r="7.5"/>
      <path d="M16 16 L21.5 21.5"/>
      <path d="M7 13 L9.5 10.5 L11.5 11.5 L14 7.5"/>
    </g>
  </g>
</svg>`;

export const researchIcon = new LabIcon({ name: 'jupyter-deepresearch:panel', svgstr });
