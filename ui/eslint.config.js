import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** Who may import whom: from the bottom (the contract) to the top (the screens), one way. */
const tiers = [
  {
    files: ['src/lib/{types,types-next,words,faces}.ts', 'src/lib/words/**', 'src/lib/text/**'],
    never: ['door', 'state', 'ui', 'screens'],
  },
  { files: ['src/lib/door/**'], never: ['state', 'ui', 'screens'] },
  { files: ['src/lib/state/**'], never: ['ui', 'screens'] },
  { files: ['src/lib/ui/**'], never: ['door', 'state', 'screens'] },
];

const tauri = {
  regex: '^@tauri-apps/',
  message: 'Only src/lib/door/tauri.ts and src/consent/door.ts know the shell: all else goes through a door.',
};

const fake = {
  regex: 'door/memory|\\./memory',
  message: 'The fake door is for tests and the dev server.',
};

const above = (name) => ({
  regex: `(^|/)${name}(/|$)`,
  message: `${name} is a tier above: imports go one way.`,
});

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/lib/contract.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      'no-restricted-imports': ['error', { patterns: [tauri, fake] }],
      'no-restricted-globals': ['error', 'fetch', 'localStorage', 'sessionStorage', 'eval'],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      // TypeScript knows the names.
      'no-undef': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
    rules: {
      // The page's policy refuses inline styles, and nothing from outside is ever markup.
      'svelte/no-inline-styles': ['error', { allowTransitions: false }],
      'svelte/no-at-html-tags': 'error',
      'svelte/no-target-blank': 'error',
      'svelte/button-has-type': 'error',
      // A plain Map or Set in a state class is bookkeeping, which nothing on the screen follows.
      'svelte/prefer-svelte-reactivity': 'off',
      'svelte/no-restricted-html-elements': ['error', { elements: ['a', 'iframe', 'object', 'embed'] }],
    },
  },
  {
    // The window that asks for consent shares looks and types with the other one, and nothing that acts.
    files: ['src/consent/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [tauri, fake, ...['lib/door', 'state', 'screens', 'lib/words', 'lib/form'].map(above)] },
      ],
    },
  },
  ...tiers.map(({ files, never }) => ({
    files,
    rules: { 'no-restricted-imports': ['error', { patterns: [tauri, fake, ...never.map(above)] }] },
  })),
  { files: ['src/lib/door/tauri.ts', 'src/consent/door.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    files: ['src/main.ts', 'src/consent/main.ts', 'src/lib/door/memory/**', 'test/**'],
    rules: { 'no-restricted-imports': 'off' },
  },
  { files: ['*.config.*', 'svelte.config.js'], languageOptions: { globals: { ...globals.node } } },
);
