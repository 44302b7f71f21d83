import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { DIRECTIONS, violationsOf } from '../support/import-directions.ts';
import { environmentReadsOf } from '../support/source-imports.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Dot-files apart. */
const TOP_LEVEL = [
  'README.md',
  'client',
  'package-lock.json',
  'package.json',
  'prisma',
  'server',
  'test',
  'tsconfig.json',
];
const IGNORED = ['data', 'dist', 'node_modules'];

const sources = ['server', 'client'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(join(ROOT, folder, name), 'utf8') })),
);

describe('the sources', () => {
  test('import only what the table of directions allows', () => {
    expect(sources.flatMap(({ path, text }) => violationsOf(path, text))).toEqual([]);
  });

  test('leave the environment to server/config.ts', () => {
    const readers = sources
      .filter(({ path }) => path !== 'server/config.ts')
      .flatMap(({ path, text }) => environmentReadsOf(path, text).map((line) => `${path}:${line}`));
    expect(readers).toEqual([]);
  });

  test('have every area of the server in the table', () => {
    const areas = readdirSync(join(ROOT, 'server')).map((name) => name.replace(/\.ts$/, ''));
    expect(areas.filter((area) => !area.endsWith('.json') && !(area in DIRECTIONS))).toEqual([]);
  });

  test('leave the top level to what belongs there', () => {
    const names = topLevel().filter((name) => !name.startsWith('.') && !IGNORED.includes(name));
    expect(names.filter((name) => !TOP_LEVEL.includes(name))).toEqual([]);
  });
});

describe('the check of directions', () => {
  test.each([
    ['server/domain/slot.ts', `import { Pool } from 'pg';`],
    ['server/domain/slot.ts', `import { type Pool } from 'pg';`],
    ['server/domain/slot.ts', `import { PackageType } from '../../prisma/client/enums.ts';`],
    ['server/domain/slot.ts', `import type { GraphQLError } from 'graphql';`],
    ['server/domain/slot.ts', `import type { Limits } from '../config.ts';`],
    ['server/domain/slot.ts', `type Store = import('../adapters/event-log.ts').EventLog;`],
    ['server/graphql/device.ts', `import '../devices/http.ts';`],
    ['server/graphql/device.ts', `export * from '../loops/enqueuer.ts';`],
    ['server/graphql/device.ts', `export type { Store } from '../adapters/event-log.ts';`],
    ['server/graphql/device.ts', `import { Hono } from 'hono';`],
    ['server/graphql/device.ts', `import { readConfig } from '../config.ts';`],
    ['server/devices/mqtt/session.ts', `const { schema } = await import('../../graphql/schema.ts');`],
    ['server/devices/mqtt/session.ts', `const { schema } = await import(name);`],
    ['server/devices/http.ts', `import { createSchema } from 'graphql-yoga';`],
    ['server/loops/notifier.ts', `import { announce } from '../devices/offers.ts';`],
    ['server/loops/notifier.ts', `import { createApp } from '../app.ts';`],
    ['server/adapters/event-log.ts', `import { createApp } from '../app.ts';`],
    ['server/config.ts', `import { PACE } from './domain/pacing.ts';`],
    ['server/main.ts', `import { serve } from './graphql/serve.ts';`],
    ['server/cli/demo.ts', `import { serve } from '../graphql/serve.ts';`],
    ['server/cli/demo.ts', `import { Fleet } from '../../test/fleet/fleet.ts';`],
    ['client/main.tsx', `import type { Device } from '../server/domain/device.ts';`],
    ['client/main.tsx', `const page = <p>{import('../server/config.ts')}</p>;`],
    ['server/services/device.ts', ``],
  ])('refuses %s: %s', (path, text) => {
    expect(violationsOf(path, `\n${text}`)).toEqual([expect.stringContaining(path)]);
  });

  test.each([
    ['server/domain/slot.ts', `import type { Pool } from 'pg';`],
    ['server/domain/slot.ts', `import type { Slot } from '../../prisma/client/client.ts';`],
    ['server/domain/slot.ts', `import { createHash } from 'node:crypto'; import { reconcile } from './reconcile.ts';`],
    ['server/graphql/device.ts', `import PrismaPlugin from '@pothos/plugin-prisma'; import '../domain/slot.ts';`],
    ['server/adapters/event-log.ts', `import pg from 'pg'; import type { Logger } from 'pino';`],
    ['server/app.ts', `import './graphql/serve.ts'; import './devices/http.ts'; import './loops/notifier.ts';`],
    ['server/domain/slot.ts', `const same = <T>(value: T): T => value; const text = "import('pg')";`],
    ['client/main.tsx', `import { render } from 'solid-js/web'; import { App } from './app.tsx';`],
  ])('allows %s: %s', (path, text) => {
    expect(violationsOf(path, text)).toEqual([]);
  });

  test('tells the line and what was imported', () => {
    expect(violationsOf('server/domain/slot.ts', `import './update.ts';\n\nimport type { Hono } from 'hono';`)).toEqual(
      ['server/domain/slot.ts:3 "domain" may not import types of hono'],
    );
  });

  test.each([
    `const port = process.env.PORT;`,
    `const port = process.env['PORT'];`,
    `const port = process['env'].PORT;`,
    `const port = readConfig(process.env.PORT);`,
    `const port = spawn(process.env);`,
    `const port = globalThis.process.env.PORT;`,
    `const { env } = process;`,
    `import { env } from 'node:process';`,
  ])('sees the environment read by %s', (text) => {
    expect(environmentReadsOf('server/main.ts', `\n${text}`)).toEqual([2]);
  });

  test('sees no reading of the environment in a comment, a text or another property, nor in handing it on', () => {
    expect(
      environmentReadsOf(
        'server/main.ts',
        `// process.env\nconst text = 'process.env'; process.exitCode = 1; readConfig(process.env);`,
      ),
    ).toEqual([]);
  });
});

/** What is committed, or where that cannot be asked, what lies there. */
function topLevel(): string[] {
  try {
    const files = execFileSync('git', ['-c', 'safe.directory=*', 'ls-files'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    if (files) return [...new Set(files.split('\n').flatMap((file) => file.split('/')[0] || []))];
  } catch {
    // No git, or no repository of ours.
  }
  return readdirSync(ROOT);
}
