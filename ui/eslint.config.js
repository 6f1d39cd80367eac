import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import noTextLiterals from './eslint/no-text-literals.js';
import svelteConfig from './svelte.config.js';

/** Imports go one way: from the screens down to the contract. */
const tiers = [
  {
    files: ['src/lib/types.ts', 'src/lib/messages/**', 'src/lib/text/**'],
    never: ['transport', 'state', 'ui', 'screens'],
  },
  { files: ['src/lib/transport/**'], never: ['state', 'ui', 'screens'] },
  { files: ['src/lib/state/**'], never: ['ui', 'screens'] },
  { files: ['src/lib/ui/**'], never: ['transport', 'state', 'screens'] },
];

const tauri = {
  regex: '^@tauri-apps/',
  message: 'Only src/lib/transport/tauri.ts and src/consent/transport.ts call the shell.',
};

const dev = {
  regex: '(^|/)dev/',
  message: 'The in-memory engine is for tests and the dev server.',
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
      'no-restricted-imports': ['error', { patterns: [tauri, dev] }],
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
    plugins: { tokenry: { rules: { 'no-text-literals': noTextLiterals } } },
    rules: {
      'tokenry/no-text-literals': 'error',
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
    // The consent window shares components, types and messages with the main window, and nothing that acts.
    files: ['src/consent/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [tauri, dev, ...['lib/transport', 'state', 'screens', 'lib/form'].map(above)] },
      ],
    },
  },
  ...tiers.map(({ files, never }) => ({
    files,
    rules: { 'no-restricted-imports': ['error', { patterns: [tauri, dev, ...never.map(above)] }] },
  })),
  { files: ['src/lib/transport/tauri.ts', 'src/consent/transport.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    files: ['src/main.ts', 'src/consent/main.ts', 'dev/**', 'test/**'],
    rules: { 'no-restricted-imports': 'off' },
  },
  { files: ['*.config.*', 'svelte.config.js'], languageOptions: { globals: { ...globals.node } } },
);
