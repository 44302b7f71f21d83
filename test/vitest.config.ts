import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { RunEnd } from './support/run-end.ts';
import type { TestProjectInlineConfiguration } from 'vitest/config';

/** One PostgreSQL for the whole run; each test file takes a database of its own from it. */
const globalSetup = 'test/support/global-setup.ts';

/** Groups run one after the other, so that nothing else loads the machine while processes are killed or pages drawn. */
const GROUP = { parallel: 0, crash: 1, browser: 2 };

/** The tests of one folder. */
function folder(name: string, test: TestProjectInlineConfiguration['test'] = {}): TestProjectInlineConfiguration {
  return { extends: true, test: { name, include: [`test/${name}/**/*.test.ts`], ...test } };
}

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  // Node 20 knows neither `using` nor `await using`.
  oxc: { target: 'node20' },
  // The copy of graphql that Node loads for the libraries; Vite would choose index.mjs, and two copies do not know each other's types.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // What a test left open must not hold the run.
    teardownTimeout: 15_000,
    reporters: ['default', new RunEnd()],
    projects: [
      folder('unit'),
      folder('api', { globalSetup }),
      folder('devices', { globalSetup }),
      folder('crash', {
        globalSetup,
        fileParallelism: false,
        testTimeout: 300_000,
        hookTimeout: 120_000,
        sequence: { groupOrder: GROUP.crash },
      }),
      folder('browser', {
        globalSetup,
        fileParallelism: false,
        testTimeout: 60_000,
        hookTimeout: 120_000,
        sequence: { groupOrder: GROUP.browser },
      }),
    ],
  },
});
