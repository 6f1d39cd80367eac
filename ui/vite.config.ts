import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The in-memory engine is for tests and for `npm run dev`: the shipped bundle must not contain it. */
function withoutDevModules(): Plugin {
  const dev = fileURLToPath(new URL('dev/', import.meta.url));
  return {
    name: 'without-dev-modules',
    apply: 'build',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? Object.keys(file.modules) : []));
      const found = modules.find((id) => id.startsWith(dev));
      if (found) this.error(`${found} is in the bundle: only tests and the dev server may import it.`);
    },
  };
}

export default defineConfig({
  plugins: [svelte(), svelteTesting(), withoutDevModules()],
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
