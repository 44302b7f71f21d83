/**
 * Makes the checkout ready to run, and is quick when it is: dependencies, the generated Prisma client, the compiled
 * server, the built client. Node built-ins only, because it runs before anything is installed.
 *
 * Each product carries, written last, a digest of what it was made from. So an interrupted run is repaired by the
 * next one, and a product is made anew exactly when its sources differ.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const NODE_MIN = [20, 19];
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const STAMP = '.made-from';

/** Held by the one process that prepares. It names the tools at work, and its age tells whether the holder lives. */
const LOCK = join(ROOT, 'dist', '.preparing');
const LOCK_TOUCH_MS = 500;
/** Longer without a touch, and the holder is dead; its tools may still be at work. */
const LOCK_SILENCE_MS = 3_000;
/** Longer, and a tool's number belongs to some other program by now. */
const LOCK_AGE_MAX_MS = 120_000;
const LOCK_LOOK_MS = 100;

/** Ends the run with one line. `output` is what the failing tool said, for when the line alone cannot explain. */
class Failure extends Error {
  constructor(line, output = '') {
    super(line);
    this.output = output;
  }
}

const STEPS = {
  dependencies: {
    says: 'Installing the dependencies',
    product: 'node_modules',
    madeFrom: () => digest(['package-lock.json'], JSON.stringify([wantedPackages(), process.platform, process.arch])),
    make: installDependencies,
  },
  prismaClient: {
    says: 'Generating the Prisma client',
    product: 'prisma/client',
    madeFrom: () => digest(['package-lock.json', 'prisma/schema.prisma', '.config/prisma.ts']),
    make: () => node('prisma generate', 'prisma/build/index.js', ['generate', '--config', '.config/prisma.ts']),
  },
  server: {
    says: 'Compiling the server',
    product: 'dist/server',
    madeFrom: () => digest(['package-lock.json', 'prisma/schema.prisma', 'tsconfig.json', 'server']),
    make: compileServer,
  },
  client: {
    says: 'Building the client',
    product: 'dist/client',
    needs: 'client/vite.config.ts',
    madeFrom: () => digest(['package-lock.json', 'tsconfig.json', 'client']),
    make: () =>
      node('vite build', 'vite/bin/vite.js', ['build', '--config', 'client/vite.config.ts', '--logLevel', 'warn']),
  },
};

const tools = new Set();

try {
  refuseOldNode();
  process.chdir(ROOT);
  if (Object.values(STEPS).some(isStale)) await exclusively(prepare);
} catch (error) {
  if (error.output) console.error(error.output);
  console.error(error instanceof Failure ? error.message : `The checkout cannot be made ready: ${error.message}`);
  process.exitCode = 1;
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  throw new Failure(
    `Node ${NODE_MIN.join('.')} or newer is needed; this is Node ${process.versions.node} (${process.execPath}).`,
  );
}

async function prepare() {
  await bring(STEPS.dependencies);
  await bring(STEPS.prismaClient);
  const results = await Promise.allSettled([bring(STEPS.server), bring(STEPS.client)]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function bring(step) {
  if (!isStale(step)) return;
  console.error(`${step.says} …`);
  const madeFrom = step.madeFrom();
  rmSync(join(step.product, STAMP), { force: true });
  await step.make();
  const stamp = join(step.product, STAMP);
  writeFileSync(`${stamp}.new`, madeFrom);
  renameSync(`${stamp}.new`, stamp);
}

function isStale({ needs, product, madeFrom }) {
  if (needs && !existsSync(needs)) return false;
  const stamp = join(product, STAMP);
  return !existsSync(stamp) || readFileSync(stamp, 'utf8') !== madeFrom();
}

/** SHA-256 over names and contents: times and sizes are not kept by every way of copying a checkout. */
function digest(paths, more = '') {
  const hash = createHash('sha256').update(more);
  for (const path of paths.flatMap(filesBelow)) hash.update(`\0${path}\0`).update(readFileSync(path));
  return hash.digest('hex');
}

function filesBelow(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesBelow(`${path}/${entry.name}`));
}

function wantedPackages() {
  const { dependencies, devDependencies, optionalDependencies, overrides } = JSON.parse(
    readFileSync('package.json', 'utf8'),
  );
  return { dependencies, devDependencies, optionalDependencies, overrides };
}

async function installDependencies() {
  // The tools that compile are development dependencies: they are wanted under NODE_ENV=production as well.
  const flags = [
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const { code, output } = await run('npm', ['ci', ...flags]);
  if (code === 0) return;
  if (code === 'ENOENT') throw new Failure('npm is not on PATH; it is needed once, to install the dependencies.');
  if (/npm (error|ERR!) code EUSAGE/.test(output)) {
    throw new Failure(
      'package.json and package-lock.json disagree: run `npm install` and keep the package-lock.json it writes.',
      output,
    );
  }
  const [, reason] = /npm (?:error|ERR!) code (E[A-Z_]+)/.exec(output) ?? [];
  throw new Failure(
    `npm could not install the dependencies (${reason ?? `exit ${code}`}); its words are above.`,
    output,
  );
}

async function compileServer() {
  // Emptied first, so that the module of a deleted source is not found.
  for (const product of ['dist/server', 'dist/prisma']) rmSync(product, { recursive: true, force: true });
  await node('tsc', '@typescript/native/bin/tsc', ['-p', 'server/tsconfig.json']);
}

/** Runs a tool that is an installed package's script. */
async function node(name, script, args) {
  const { code, output } = await run(process.execPath, [join('node_modules', script), ...args]);
  if (code !== 0) throw new Failure(`${name} failed (exit ${code}); its words are above.`, output);
}

/** `code` is the exit status, the signal that ended the tool, or the system's word for why it could not be started. */
function run(command, args) {
  const env = {
    ...process.env,
    // Prisma looks its generators up on PATH.
    PATH: `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`,
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  };
  return new Promise((done) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', (error) => done({ code: error.code, output }));
    child.once('spawn', () => tools.add(child) && writeLock());
    child.once('close', (code, signal) => {
      tools.delete(child);
      done({ code: code ?? signal, output: output.trim() });
    });
  });
}

async function exclusively(work) {
  mkdirSync(dirname(LOCK), { recursive: true });
  for (let waited = false; !tryLock(); waited = true) {
    if (!waited) console.error('Waiting for another run that makes the checkout ready …');
    await delay(LOCK_LOOK_MS);
  }
  const touch = setInterval(() => utimesSync(LOCK, new Date(), new Date()), LOCK_TOUCH_MS);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.once(signal, () => tools.forEach((tool) => tool.kill(signal)));
  try {
    await work();
  } finally {
    clearInterval(touch);
    rmSync(LOCK, { force: true });
  }
}

function tryLock() {
  try {
    writeLock('wx');
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    removeAbandonedLock();
    return false;
  }
}

function writeLock(flag = 'w') {
  writeFileSync(LOCK, [...tools].map((tool) => tool.pid).join(' '), { flag });
}

function removeAbandonedLock() {
  try {
    const silence = Date.now() - statSync(LOCK).mtimeMs;
    const working = readFileSync(LOCK, 'utf8').split(' ').filter(Boolean).some(isAlive);
    if (silence > LOCK_AGE_MAX_MS || (silence > LOCK_SILENCE_MS && !working)) rmSync(LOCK, { force: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function isAlive(pid) {
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
