import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';
import solid from 'vite-plugin-solid';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [solid(), tailwindcss()],
  build: {
    outDir: '../dist/client',
    emptyOutDir: true,
    // What the pages use: popover, color-mix, nesting, AbortSignal.any.
    target: ['chrome123', 'firefox125', 'safari17.4'],
  },
});
