// Renders formulas as presentation MathML. `node mathml.mjs PRODUCER` with PRODUCER one of katex, temml, mathjax3,
// mathjax4; reads JSON lines {"tex", "display"} from standard input and writes {"mathml"} for each, in the same order;
// null where the producer refuses the formula. NODE_MODULES names another node_modules folder than the one beside this.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const base = process.env.NODE_MODULES ? pathToFileURL(process.env.NODE_MODULES + '/../x.js') : import.meta.url;
const require = createRequire(base);
const refuse = (error) => { throw error; };
const PACKAGES = ['base', 'ams', 'newcommand', 'boldsymbol', 'cancel', 'mathtools', 'unicode'];

function katex() {
  const library = require('katex');
  return (tex, display) => library
    .renderToString(tex, { displayMode: display, output: 'mathml', throwOnError: true, strict: false })
    .replace(/^<span class="katex">|<\/span>$/g, '');
}

function temml() {
  const library = require('temml');
  return (tex, display) => library.renderToString(tex, { displayMode: display, throwOnError: true });
}

// Both versions of MathJax have the same modules, at different paths.
function mathjax(root, options = {}) {
  const { mathjax } = require(`${root}/mathjax.js`);
  const { TeX } = require(`${root}/input/tex.js`);
  for (const name of PACKAGES) {
    const folder = name === 'newcommand' ? 'newcommand/Newcommand' : `${name}/${name[0].toUpperCase()}${name.slice(1)}`;
    require(`${root}/input/tex/${folder}Configuration.js`);
  }
  const { liteAdaptor } = require(`${root}/adaptors/liteAdaptor.js`);
  const { RegisterHTMLHandler } = require(`${root}/handlers/html.js`);
  const { SerializedMmlVisitor } = require(`${root}/core/MmlTree/SerializedMmlVisitor.js`);
  const { STATE } = require(`${root}/core/MathItem.js`);
  RegisterHTMLHandler(liteAdaptor());
  const input = new TeX({ packages: PACKAGES, formatError: (_jax, error) => refuse(error), ...options });
  const page = mathjax.document('', { InputJax: input });
  const visitor = new SerializedMmlVisitor();
  return (tex, display) => visitor.visitTree(page.convert(tex, { display, end: STATE.CONVERT }));
}

const PRODUCERS = {
  katex,
  temml,
  mathjax3: () => mathjax('mathjax-full/js'),
  mathjax4: () => mathjax('@mathjax/src/cjs'),
};

const render = PRODUCERS[process.argv[2]]();
for await (const line of createInterface({ input: process.stdin })) {
  const { tex, display } = JSON.parse(line);
  let mathml = null;
  try {
    mathml = render(tex, display);
  } catch {
    // The formula is left out for this producer; the benchmark counts how many were.
  }
  process.stdout.write(JSON.stringify({ mathml }) + '\n');
}
