import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The door of the tests and of `npm run dev` pretends to be an engine: what we ship must not have it. */
function withoutTheFakeDoor(): Plugin {
  return {
    name: 'without-the-fake-door',
    apply: 'build',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? Object.keys(file.modules) : []));
      const fake = modules.find((id) => id.includes('/src/lib/door/memory'));
      if (fake) this.error(`${fake} is in the bundle: only tests and the dev server may import it.`);
    },
  };
}

export default defineConfig({
  plugins: [svelte(), svelteTesting(), withoutTheFakeDoor()],
  clearScreen: false,
  server: { port: 5173, strictPort: true, host: '127.0.0.1' },
  build: {
    target: ['es2022', 'safari16'],
    // The page's policy allows scripts and styles from files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The window, and the small one that asks for consent.
    rolldownOptions: { input: ['index.html', 'consent.html'] },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['test/setup.ts'],
    include: ['test/**/*.test.ts'],
    // A whole window is drawn in most of them, and the machine may be busy.
    testTimeout: 30_000,
  },
});
