// Renders formulas with the real libraries. Reads JSON lines {"form", "tex", "display"} from standard input and writes
// one JSON line {"html"} for each, in the same order; {"error"} where the library refuses the formula.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import katex from 'katex';
import { mathjax as mathjax4 } from '@mathjax/src/mjs/mathjax.js';
import { TeX as TeX4 } from '@mathjax/src/mjs/input/tex.js';
import { CHTML as CHTML4 } from '@mathjax/src/mjs/output/chtml.js';
import { SVG as SVG4 } from '@mathjax/src/mjs/output/svg.js';
import { liteAdaptor as liteAdaptor4 } from '@mathjax/src/mjs/adaptors/liteAdaptor.js';
import { RegisterHTMLHandler as RegisterHTMLHandler4 } from '@mathjax/src/mjs/handlers/html.js';
import '@mathjax/src/mjs/input/tex/base/BaseConfiguration.js';
import '@mathjax/src/mjs/input/tex/ams/AmsConfiguration.js';
import '@mathjax/src/mjs/util/asyncLoad/esm.js';
import { linear } from './linear.mjs';

const require = createRequire(import.meta.url);
const katexOld = require('katex-old');
const temml = require('temml');
const mathjaxNode = require('mathjax-node');
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

const refuse = (error) => { throw error; };
const packages = ['base', 'ams'];
const adaptor = liteAdaptor();
AssistiveMmlHandler(RegisterHTMLHandler(adaptor));
const texInput = () => new TeX({ packages, formatError: (_jax, error) => refuse(error) });
const svg = new SVG({ fontCache: 'local' });
const chtml = new CHTML({ fontURL: 'https://cdn.example.net/mathjax/fonts/woff-v2' });
const mathml = mathjax.document('', { InputJax: texInput() });
const visitor = new SerializedMmlVisitor();
const adaptor4 = liteAdaptor4();
RegisterHTMLHandler4(adaptor4);

// The whole document is rendered, as in a browser, since only that adds the assistive MathML.
function mathjax3(output, tex, display) {
  const [open, close] = display ? ['\\[', '\\]'] : ['\\(', '\\)'];
  const escaped = tex.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  const page = mathjax.document(`<html><head></head><body>${open}${escaped}${close}</body></html>`,
    { InputJax: texInput(), OutputJax: output, compileError: (_page, _item, error) => refuse(error) });
  page.render();
  const html = adaptor.innerHTML(adaptor.body(page.document));
  if (!html.startsWith('<mjx-container')) refuse(new Error('its delimiters or braces do not match'));
  return html;
}

const documents4 = {
  chtml: mathjax4.document('', { InputJax: new TeX4({ packages, formatError: (_j, e) => refuse(e) }),
    OutputJax: new CHTML4({ fontURL: 'https://cdn.example.net/mathjax/fonts' }) }),
  svg: mathjax4.document('', { InputJax: new TeX4({ packages, formatError: (_j, e) => refuse(e) }), OutputJax: new SVG4({ dynamicPrefix: '@mathjax/mathjax-newcm-font/mjs/svg/dynamic' }) }),
};
const rendered4 = async (name, tex, display) =>
  adaptor4.outerHTML(await documents4[name].convertPromise(tex, { display }));

mathjaxNode.config({ displayErrors: false, MathJax: {} });
const mathjax2 = (output) => async (tex, display) => {
  const done = await mathjaxNode.typeset({ math: tex, format: display ? 'TeX' : 'inline-TeX', [output]: true });
  return done.errors ? refuse(new Error(done.errors.join('; '))) : done[output];
};

const katexAs = (library, options) => (tex, display) =>
  library.renderToString(tex, { displayMode: display, throwOnError: true, strict: false, ...options });

const FORMS = {
  'katex': katexAs(katex, {}),
  'katex-mathml': katexAs(katex, { output: 'mathml' }),
  'katex-html': katexAs(katex, { output: 'html' }),
  'katex-old': katexAs(katexOld, {}),
  'temml': (tex, display) => temml.renderToString(tex, { displayMode: display, throwOnError: true }),
  'temml-annotated': (tex, display) => temml.renderToString(tex, { displayMode: display, annotate: true, throwOnError: true }),
  'mathjax3-mathml': (tex, display) => visitor.visitTree(mathml.convert(tex, { display, end: STATE.CONVERT })),
  'mathjax3-svg': (tex, display) => mathjax3(svg, tex, display),
  'mathjax3-chtml': (tex, display) => mathjax3(chtml, tex, display),
  'mathjax4-chtml': (tex, display) => rendered4('chtml', tex, display),
  'mathjax4-svg': (tex, display) => rendered4('svg', tex, display),
  'mathjax2-html': mathjax2('html'),
  'mathjax2-svg': mathjax2('svg'),
  'mathjax2-mathml': mathjax2('mml'),
  'linear': (tex, display) => linear(katexAs(katex, { output: 'mathml' })(tex, display)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { form, tex, display } = JSON.parse(line);
  let answer;
  try {
    answer = { html: await FORMS[form](tex, display) };
  } catch (error) {
    answer = { error: String(error?.message ?? error).slice(0, 200) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
process.stdout.write('', () => process.exit(0)); // mathjax-node leaves a window open
