const path = require('path');

const MADE = 'React.createElement(';
const H = JSON.stringify(path.join(__dirname, 'lib', 'parts', 'h.js'));

/** `React.createElement(` stands in the scripts 600 times and no minifier shortens it; a name of our own it does. */
module.exports = source =>
  source.includes(MADE) ? `import { h as _h } from ${H};${source.replaceAll(MADE, '_h(')}` : source;
