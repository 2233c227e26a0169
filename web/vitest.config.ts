import { defineConfig } from 'vitest/config';

/** Tests in a real browser share one machine with others: generous limits, no timing asserts. */
const browser = { testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false };

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts', 'scripts/**/*.test.mjs'] } },
      { test: { name: 'pages', include: ['test/**/*.test.ts'], ...browser } },
      { test: { name: 'e2e', include: ['e2e/**/*.test.ts'], ...browser } },
    ],
  },
});
