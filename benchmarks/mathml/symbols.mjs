// Writes the table of characters and the commands that show them, curation/extract/notation/symbols.json: every command
// that KaTeX knows is rendered, and those that give one character of MathML and nothing else are kept.
//     node benchmarks/mathml/symbols.mjs > curation/extract/notation/symbols.json
// NODE_MODULES names another node_modules folder than the one beside this file.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const base = process.env.NODE_MODULES ? pathToFileURL(process.env.NODE_MODULES + '/../x.js') : import.meta.url;
const require = createRequire(base);
const katex = require('katex');

// Where several commands show one character: the one that authors of our sample pages use most, else the plainest.
const PREFERRED = new Set(String.raw`\leq \geq \neq \to \leftarrow \wedge \vee \neg \ldots \cdots \in \ni \notin \subset \mid \nmid
  \parallel \perp \circ \subseteq \supseteq \Uparrow \Downarrow \spadesuit \heartsuit \diamondsuit \clubsuit \upharpoonright \bullet \sim \simeq \approx \cong \emptyset \Re \Im \hbar \ell \partial \infty \nabla \angle \triangle
  \setminus \cdot \times \pm \mp \div \ast \star \cup \cap \oplus \otimes \Rightarrow \Leftarrow \Leftrightarrow \iff \implies
  \impliedby \mapsto \uparrow \downarrow \longrightarrow \longleftarrow \longmapsto \hookrightarrow \forall \exists \top
  \vdash \models \prime \dagger \ddagger \square \blacksquare \lozenge \checkmark \langle \rangle \lfloor \rfloor \lceil \rceil
  \S \P \pounds \yen \sum \prod \int \epsilon \varepsilon \phi \varphi \gg \ll \ggg \lll
  \leftrightarrow \bowtie \prec \succ \doteq \therefore \because \degree \amalg \wr \diamond \bigstar \colon \coloneqq \aleph
  \Vdash \copyright \circledR \nleq \ngeq \leqslant \geqslant \alpha \trianglelefteq \trianglerighteq \lessgtr \gtrless
  \varpropto \propto \smallsetminus \oint \lhd \rhd \unlhd \unrhd \hslash \imath \jmath \eth \mho \Finv \Game \beth \gimel
  \daleth \And`.trim().split(/\s+/));
// Commands that change meaning with their place, print to the console, or are names that LaTeX does not know.
const AVOIDED = /^\\(?:(?:[NRZ]|thetasym|leadsto)$|text|char|html|@|math|tag|dots|expand|show|message|errmessage)/;

function character(command) {
  let html;
  try {
    html = katex.renderToString(command, { output: 'mathml', strict: false });
  } catch {
    return null;
  }
  const body = html.replace(/<annotation.*<\/annotation>/s, '');
  const text = body.replace(/<[^>]*>/g, '').replace(/&lt;/, '<').replace(/&gt;/, '>').replace(/&amp;/, '&');
  const leaves = body.match(/<(?:mi|mo|mn|mtext)\b/g) ?? [];
  const shapes = /<(?:mover|munder|msup|mfrac|mtable|mstyle|merror|menclose|mphantom|mglyph)\b/;
  const isPrivate = /[\ue000-\uf8ff]/.test(text);
  return leaves.length === 1 && [...text].length === 1 && !shapes.test(body) && !isPrivate ? text : null;
}

const better = (one, two) => PREFERRED.has(one) !== PREFERRED.has(two) ? PREFERRED.has(one)
  : one.length !== two.length ? one.length < two.length : one < two;

const source = readFileSync(require.resolve('katex'), 'utf8');
const names = new Set([...source.matchAll(/["'](\\\\(?:[A-Za-z]+|[^A-Za-z0-9\s\\]))["']/g)].map((match) => match[1].slice(1)));
const symbols = {};
for (const command of [...names].sort()) {
  const shown = AVOIDED.test(command) ? null : character(command);
  if (shown === null || /[\x00-\x7f\s]/.test(shown)) continue;
  if (!(shown in symbols) || better(command, symbols[shown])) symbols[shown] = command;
}
const ordered = Object.fromEntries(Object.keys(symbols).sort().map((key) => [key, symbols[key]]));
const { version } = require('katex/package.json');
process.stdout.write(JSON.stringify({
  source: `KaTeX ${version}, its commands as it renders them`,
  licence: 'MIT, Copyright (c) 2013-2020 Khan Academy and other contributors',
  generator: 'benchmarks/mathml/symbols.mjs',
  symbols: ordered,
}, null, 1) + '\n');
