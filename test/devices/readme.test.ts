/** The README's first device, run as it stands there: the shell lines of the operator, and the device in Python. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ADMIN, testServer } from '../support/server.ts';

async function blocks(language: string): Promise<string[]> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text ?? '');
}

/** The README's reader has them; a machine that has only Node does not. */
const MISSING = ['sh', 'curl', 'python3'].filter((program) => spawnSync(program, ['--version']).error !== undefined);

test('U6 a new user follows the README to a device that ends UPDATED', async ({ skip }) => {
  skip(MISSING.length > 0, `needs ${MISSING.join(', ')}`);
  await using server = await testServer();
  const directory = await mkdtemp(join(tmpdir(), 'aloft-readme-'));
  const steps = (await blocks('sh')).find((block) => block.includes('createDeviceProfile')) ?? '';
  const [device = ''] = await blocks('python');
  const shell = steps
    .replace(/^URL=.*$/m, `URL=${server.url}`)
    .replace(/^PASSWORD=.*$/m, `PASSWORD='${ADMIN.password}'`);
  expect(shell).toContain(server.url);

  const said = await run('sh', ['-e', '-c', shell], directory);
  expect(said).not.toContain('"code"');
  await writeFile(join(directory, 'device.py'), device);
  const python = spawn('python3', ['device.py', server.url, 'KITCHEN'], { cwd: directory, stdio: 'ignore' });
  try {
    await expect
      .poll(
        () =>
          server.query(
            `SELECT state::text, current_version FROM slot WHERE name = 'kitchen' AND type = 'FIRMWARE'`,
            [],
          ),
        {
          timeout: 30_000,
        },
      )
      .toEqual([{ state: 'UPDATED', current_version: '2.0.0' }]);
  } finally {
    python.kill();
    await once(python, 'close');
    await rm(directory, { recursive: true, force: true });
  }
  const events = await server.query<{ state: string }>('SELECT state::text FROM update_event ORDER BY seq', []);
  expect(events.map(({ state }) => state)).toEqual([
    'QUEUED',
    'INITIATED',
    'DOWNLOADING',
    'DOWNLOADED',
    'VERIFIED',
    'UPDATING',
    'UPDATED',
  ]);
}, 60_000);

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  expect(code, output).toBe(0);
  return output;
}
