// A formula as one string, from the MathML that KaTeX makes of it: equal strings mean equivalent formulas. Spaces,
// sizes, upright and italic letters, and the difference between limits and scripts are left out.
const SAME = {
  '−': '-', '–': '-', '∣': '|', '∥': '‖', '⩽': '≤', '⩾': '≥', '⟶': '→', '⟵': '←', '⟹': '⇒', '⟸': '⇐', '⟺': '⇔', '⟷': '↔',
  '⟼': '↦', '⋯': '…', '·': '⋅', '∗': '*', '‾': 'ˉ', '¯': 'ˉ', '∖': '\\', '⟂': '⊥', '′': "'", '~': '˜',
  '∼': '˜', '^': 'ˆ', '∶': ':', '〈': '⟨', '〉': '⟩',
};
const SCRIPTS = { munder: 'msub', mover: 'msup', munderover: 'msubsup' };
const SPLICED = new Set(['math', 'semantics', 'mrow', 'mstyle', 'mpadded', 'mphantom', 'merror', 'menclose']);
const CLOSING = /[)\]}|⟩⌋⌉‖]$/; // `\left(x\right)^2` and `(x)^2` differ in what the exponent stands on
const LETTERS = new Set(['mi', 'mn', 'mo', 'mtext', 'ms']);
const PLAIN = new Set(['', 'normal', 'italic', 'sans-serif', 'monospace']);
const ENTITIES = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'", '&nbsp;': ' ' };

export function linear(markup) {
  const math = markup.slice(markup.indexOf('<math'), markup.lastIndexOf('</math>') + 7);
  const body = math.replace(/<annotation[\s\S]*?<\/annotation>/g, '');
  return String(build(body));
}

function build(body) {
  const stack = [{ name: '', attributes: '', parts: [] }];
  for (const [piece, close, name, attributes, empty] of body.matchAll(/<(\/?)([a-z]+)([^<>]*?)(\/?)>|[^<]+/g)) {
    if (!name) stack.at(-1).parts.push(characters(piece));
    else if (close || empty) finish(stack, close ? null : { name, attributes, parts: [] });
    else stack.push({ name, attributes, parts: [] });
  }
  return stack[0].parts.join('');
}

function finish(stack, alone) {
  const node = alone ?? stack.pop();
  stack.at(-1).parts.push(written(node));
}

function written({ name, attributes, parts }) {
  if (name === 'mspace') return '';
  const inside = parts.join('');
  if (LETTERS.has(name)) {
    const variant = /mathvariant="([^"]*)"/.exec(attributes)?.[1].replace('bold-italic', 'bold') ?? '';
    return PLAIN.has(variant) || !inside ? inside : [...inside].map((char) => `${variant}:${char}`).join('');
  }
  if (SPLICED.has(name)) return inside;
  const accent = /accent(?:under)?="true"/.test(attributes);
  const kind = accent ? name : SCRIPTS[name] ?? name;
  if (!kind.startsWith('ms') || kind === 'msqrt' || !CLOSING.test(parts[0])) return structure(kind, parts);
  return parts[0].slice(0, -1) + structure(kind, [parts[0].slice(-1), ...parts.slice(1)]);
}

const structure = (name, parts) => `${name}⟬${parts.join('⸴')}⟭`;

const characters = (text) => [...text.replace(/&[#\w]+;/g, (entity) => ENTITIES[entity] ?? entity)]
  .filter((char) => !/[\s\u00a0\u200b\u2061-\u2064\u2009\u200a]/u.test(char))
  .map((char) => SAME[char] ?? char).join('');
