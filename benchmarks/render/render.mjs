// Renders formulas with the real libraries. Reads JSON lines {"form", "tex", "display"} from standard input and writes
// one JSON line {"html"} for each, in the same order. A formula that a library refuses ends the run with an error: every
// formula of the demo pages has to be right in all of them.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import katex from 'katex';

const require = createRequire(import.meta.url);
const temml = require('temml');
const { mathjax } = require('mathjax-full/js/mathjax.js');
const { TeX } = require('mathjax-full/js/input/tex.js');
require('mathjax-full/js/input/tex/base/BaseConfiguration.js');
require('mathjax-full/js/input/tex/ams/AmsConfiguration.js');
const { SVG } = require('mathjax-full/js/output/svg.js');
const { CHTML } = require('mathjax-full/js/output/chtml.js');
const { liteAdaptor } = require('mathjax-full/js/adaptors/liteAdaptor.js');
const { RegisterHTMLHandler } = require('mathjax-full/js/handlers/html.js');
const { AssistiveMmlHandler } = require('mathjax-full/js/a11y/assistive-mml.js');
const { SerializedMmlVisitor } = require('mathjax-full/js/core/MmlTree/SerializedMmlVisitor.js');
const { STATE } = require('mathjax-full/js/core/MathItem.js');

const PACKAGES = ['base', 'ams'];
const adaptor = liteAdaptor();
AssistiveMmlHandler(RegisterHTMLHandler(adaptor));

// A TeX error must stop the run: by default MathJax typesets a red message instead.
const refuse = (error) => { throw error; };
const texInput = () => new TeX({ packages: PACKAGES, formatError: (_jax, error) => refuse(error) });
const svgOutput = new SVG({ fontCache: 'local' });
const chtmlOutput = new CHTML({ fontURL: 'https://cdn.example.net/mathjax/fonts/woff-v2' });
const mathml = mathjax.document('', { InputJax: texInput() });
const visitor = new SerializedMmlVisitor();

// The whole document is rendered, as in a browser, since only that adds the assistive MathML.
function mathjaxElement(output, tex, display) {
  const [open, close] = display ? ['\\[', '\\]'] : ['\\(', '\\)'];
  const escaped = tex.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  const page = mathjax.document(`<html><head></head><body>${open}${escaped}${close}</body></html>`,
    { InputJax: texInput(), OutputJax: output, compileError: (_page, _item, error) => refuse(error) });
  page.render();
  const html = adaptor.innerHTML(adaptor.body(page.document));
  if (!html.startsWith('<mjx-container')) refuse(new Error('its delimiters or braces do not match'));
  return html;
}

const FORMS = {
  katex: (tex, display) => katex.renderToString(tex, { displayMode: display, throwOnError: true, strict: false }),
  temml: (tex, display) => temml.renderToString(tex, { displayMode: display, annotate: true, throwOnError: true }),
  'mathml-temml': (tex, display) => temml.renderToString(tex, { displayMode: display, throwOnError: true }),
  'mathml-mathjax': (tex, display) => visitor.visitTree(mathml.convert(tex, { display, end: STATE.CONVERT })),
  'mathjax-svg': (tex, display) => mathjaxElement(svgOutput, tex, display),
  'mathjax-chtml': (tex, display) => mathjaxElement(chtmlOutput, tex, display),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { form, tex, display } = JSON.parse(line);
  try {
    process.stdout.write(JSON.stringify({ html: FORMS[form](tex, display) }) + '\n');
  } catch (error) {
    throw new Error(`${form} cannot render ${JSON.stringify(tex)}: ${error.message}`);
  }
}
