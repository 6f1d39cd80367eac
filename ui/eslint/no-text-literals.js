/** Texts that a user sees stand in src/lib/messages, so that a language is one folder. */

/** Attributes and properties of components that a user sees or hears. */
const VISIBLE = new Set([
  'alt',
  'aria-description',
  'aria-label',
  'aria-placeholder',
  'aria-roledescription',
  'aria-valuetext',
  'empty',
  'error',
  'hint',
  'label',
  'message',
  'note',
  'over',
  'placeholder',
  'text',
  'title',
]);

const hasLetters = (text) => /\p{L}/u.test(text.replace(/&\w+;/g, ''));

/** The texts that an expression can result in, as far as they are literals. */
function literals(node) {
  switch (node?.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [node] : [];
    case 'TemplateLiteral':
      return [...node.quasis, ...node.expressions.flatMap(literals)];
    case 'ConditionalExpression':
      return [...literals(node.consequent), ...literals(node.alternate)];
    case 'LogicalExpression':
      return [...literals(node.left), ...literals(node.right)];
    case 'BinaryExpression':
      return node.operator === '+' ? [...literals(node.left), ...literals(node.right)] : [];
    default:
      return [];
  }
}

const textOf = (node) => (node.type === 'TemplateElement' ? node.value.raw : String(node.value));

export default {
  meta: {
    type: 'problem',
    docs: { description: 'texts stand in src/lib/messages' },
    messages: { literal: 'Move this text to src/lib/messages: “{{text}}”' },
    schema: [],
  },
  create(context) {
    const report = (node, text) => {
      if (hasLetters(text)) context.report({ node, messageId: 'literal', data: { text: text.trim() } });
    };
    const reportAll = (expression) => literals(expression).forEach((node) => report(node, textOf(node)));
    return {
      SvelteText(node) {
        const { parent } = node;
        if (parent.type === 'SvelteStyleElement' || parent.type === 'SvelteScriptElement') return;
        report(node, node.value);
      },
      SvelteMustacheTag(node) {
        if (node.parent.type !== 'SvelteAttribute') reportAll(node.expression);
      },
      SvelteAttribute(node) {
        if (!VISIBLE.has(node.key.name)) return;
        for (const part of node.value) {
          if (part.type === 'SvelteLiteral') report(part, part.value);
          else reportAll(part.expression);
        }
      },
    };
  },
};
