import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // Relative, so that the pages work below any base path.
  base: './',
  build: {
    target: 'es2022',
    // The polyfill is an inline fetch loop that no supported browser needs.
    modulePreload: { polyfill: false },
    // Data URLs would be text that cannot be cached or compressed on its own.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { start: here('index.html'), session: here('s/index.html') },
      output: {
        codeSplitting: {
          // The emulator changes seldom: its own file stays in caches when ours change.
          groups: [
            { name: 'emulator', test: /@xterm\/(xterm|addon-unicode|addon-web-links)/ },
            { name: 'common', minShareCount: 2 },
          ],
        },
      },
    },
  },
});
