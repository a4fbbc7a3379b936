/** A style sheet without what only its readers need. */
module.exports = css =>
  css
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/^\s*([\w-]+):\s+/gm, '$1:')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1')
    .replace(/;}/g, '}')
    .trim();
