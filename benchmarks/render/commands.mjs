// Writes the commands of LaTeX that KaTeX or MathJax knows, sorted, for curation/extract/macros/commands.txt:
//     npm install && node commands.mjs > ../../curation/extract/macros/commands.txt
// MathJax (Apache-2.0) gives its tables; KaTeX (MIT) is asked for every name that its bundle mentions, since it refuses
// to typeset what it does not know. Only the names are kept: they are facts about the language.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import katex from 'katex';

const require = createRequire(import.meta.url);
require('mathjax-full/js/input/tex/AllPackages.js');
const { MapHandler } = require('mathjax-full/js/input/tex/MapHandler.js');
const { ConfigurationHandler } = require('mathjax-full/js/input/tex/Configuration.js');

// Commands of LaTeX itself that pages have in formulas, though no renderer of the web knows them.
const LATEX = `centering cite citep citet em emph ensuremath footnote footnotesize hfil hfill hfilneq hss indent institute
  it itshape linebreak mathchar mdseries newline noindent nobreak normalfont normalsize pagebreak par parbox penalty
  protect qed qedsymbol raggedright sc sffamily sl slshape textmd textsl textup ttfamily upshape vfill vphantom vskip
  vspace xspace`.split(/\s+/);

function mathjaxNames() {
  const names = [];
  for (const key of ConfigurationHandler.keys()) {
    const { handler } = ConfigurationHandler.get(key);
    for (const table of [...(handler.macro ?? []), ...(handler.delimiter ?? [])]) {
      const map = MapHandler.getMap(table)?.map;
      if (map) names.push(...map.keys());
    }
  }
  return names.map((name) => name.replace(/^\\/, ''));
}

const PRINTING = new Set(['show', 'message', 'errmessage']);

function katexKnows(name) {
  if (PRINTING.has(name)) return true;
  try {
    katex.renderToString(`\\${name}`, { throwOnError: true, strict: 'ignore', trust: true });
  } catch (error) {
    return !/Undefined control sequence|Invalid (command|control)/.test(error.message);
  }
  return true;
}

function katexNames() {
  const bundle = readFileSync(require.resolve('katex'), 'utf8');
  const mentioned = new Set([...bundle.matchAll(/\\\\([A-Za-z]+)/g)].map((match) => match[1]));
  return [...mentioned].filter(katexKnows);
}

const names = [...new Set([...LATEX, ...mathjaxNames(), ...katexNames()])].filter((name) => /^[A-Za-z]+$/.test(name)).sort();
const lines = ['# Commands of LaTeX without backslash: MathJax 3.2.2 (Apache-2.0), KaTeX 0.16.22 (MIT), LaTeX itself.'];
let line = '';
for (const name of names) {
  if (line && line.length + name.length + 1 > 120) {
    lines.push(line);
    line = '';
  }
  line += (line ? ' ' : '') + name;
}
process.stdout.write([...lines, line, ''].join('\n'));
