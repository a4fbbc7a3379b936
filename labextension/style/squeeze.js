const fs = require('fs');
const path = require('path');

/** The style sheets that one imports as a single one, without what only their readers need. */
module.exports = function (css) {
  const whole = css.replace(/@import url\('(.+)'\);/g, (_, name) => {
    const file = path.join(this.context, name);
    this.addDependency(file);
    return fs.readFileSync(file, 'utf8');
  });
  return whole
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/^\s*([\w-]+):\s+/gm, '$1:')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1')
    .replace(/;}/g, '}')
    .trim();
};
