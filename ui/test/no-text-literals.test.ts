import { ESLint } from 'eslint';
import svelte from 'eslint-plugin-svelte';
import { expect, it } from 'vitest';
import noTextLiterals from '../eslint/no-text-literals.js';

const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [
    ...svelte.configs.base,
    {
      plugins: { tokenry: { rules: { 'no-text-literals': noTextLiterals } } },
      rules: { 'tokenry/no-text-literals': 'error' },
    },
  ],
});

async function found(template: string): Promise<string[]> {
  const [result] = await eslint.lintText(template, { filePath: 'src/Test.svelte' });
  return result?.messages.map(({ message }) => /“(.*)”/.exec(message)?.[1] ?? message) ?? [];
}

it.each([
  ['<p>Save</p>', 'Save'],
  ['<button aria-label="Close">×</button>', 'Close'],
  ['<input placeholder="Name" />', 'Name'],
  ["<Button label={busy ? 'Wait' : name} />", 'Wait'],
  ["<p>{name ?? 'unknown'}</p>", 'unknown'],
  ['<p>{`Edit ${name}`}</p>', 'Edit'],
  ["<p title={'Edit ' + name}></p>", 'Edit'],
  ['{#if a}ja{/if}', 'ja'],
])('%s is a text in a template', async (template, text) => {
  expect(await found(template)).toEqual([text]);
});

it.each([
  '<p>{messages.common.save}</p>',
  '<p>· {a}, {b}&nbsp;</p>',
  '<input type="text" name="label" data-testid="field" />',
  "{#if kind === 'paste'}{texts[kind]}{/if}",
  "<p>{wrong['name']}</p>",
  '<style>p { color: red; }</style>',
])('%s is none', async (template) => {
  expect(await found(template)).toEqual([]);
});
