/** How much the server's memory grows while a package of 1 GiB is uploaded through the management API. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Figure } from './figure.ts';
import type { TrialServer } from './trial-server.ts';

const PACKAGE_BYTES = 2 ** 30;
/** Uploaded before, so that what is loaded and compiled once does not count. */
const FIRST_PACKAGE_BYTES = 2 ** 20;
const SAMPLE_MS = 20;
const MEGABYTE = 1e6;
const GROWTH_MAX_BYTES = 64 * MEGABYTE;

export async function measureUploadMemory({ server, management }: TrialServer): Promise<Figure> {
  const profile = await management.createProfile('load: upload');
  await management.upload(profile, 'load: small', FIRST_PACKAGE_BYTES);
  const before = await residentBytes(server.pid);
  let peak = before;
  const sampled = setInterval(() => {
    void residentBytes(server.pid).then((bytes) => (peak = Math.max(peak, bytes)));
  }, SAMPLE_MS);
  try {
    await management.upload(profile, 'load: large', PACKAGE_BYTES);
  } finally {
    clearInterval(sampled);
  }
  return {
    name: 'memory growth of the server while 1 GiB is uploaded',
    measured: (peak - before) / MEGABYTE,
    reference: GROWTH_MAX_BYTES / MEGABYTE,
    unit: 'MB',
    ratio: { atMost: 1 },
  };
}

/** Resident set size of the process, without its children. */
async function residentBytes(pid: number): Promise<number> {
  if (process.platform === 'linux') {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kibibytes) * 1_024;
  }
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim()) * 1_024;
}
