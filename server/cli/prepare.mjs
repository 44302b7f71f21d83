/**
 * Makes the checkout ready to run, and is quick when it is: dependencies, the generated Prisma client, the compiled
 * server, the built client. Node built-ins only, because it runs before anything is installed.
 *
 * All of them, or those that the arguments name: `node server/cli/prepare.mjs dependencies prismaClient`.
 *
 * Each product carries, written last, a digest of what it was made from. So an interrupted run is repaired by the
 * next one, and a product is made anew exactly when its sources differ.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exclusively } from './preparing-lock.mjs';

const NODE_MIN = [20, 19];
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const STAMP = '.made-from';

const LOCK = join(ROOT, 'dist', '.preparing');
/** Of what a tool says, the end is kept. */
const OUTPUT_CHARACTERS_MAX = 65_536;

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
    madeFrom: () => digest(['package-lock.json', 'tsconfig.json', 'client']),
    make: () =>
      node('vite build', 'vite/bin/vite.js', ['build', '--config', 'client/vite.config.ts', '--logLevel', 'warn']),
  },
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(STEPS);

/** What runs for us now, and the signal that told us to stop. */
const tools = new Set();
let stopped;

try {
  refuseOldNode();
  process.chdir(ROOT);
  if (wanted.some(isStale)) await exclusively(LOCK, tools, prepare);
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
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop);
  await bring('dependencies');
  await bring('prismaClient');
  const results = await Promise.allSettled([bring('server'), bring('client')]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function stop(signal) {
  stopped = signal;
  for (const tool of tools) tool.kill(signal);
}

async function bring(name) {
  if (!wanted.includes(name) || !isStale(name)) return;
  const { says, product, madeFrom, make } = STEPS[name];
  console.error(`${says} …`);
  const sources = madeFrom();
  const stamp = join(product, STAMP);
  rmSync(stamp, { force: true });
  await make();
  writeFileSync(`${stamp}.new`, sources);
  renameSync(`${stamp}.new`, stamp);
}

function isStale(name) {
  const { product, madeFrom } = STEPS[name];
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
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
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
    // Tools inside our tools ask for newer versions of Node for parts that are not used here.
    '--engine-strict=false',
    // Without a network it is said after half a minute, not after two.
    '--fetch-retry-maxtimeout=10000',
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
  await node('tsc', '@typescript/native/bin/tsc', ['-p', 'server/tsconfig.json']);
  // A server that runs from here may still load a module, so only those of deleted sources go.
  for (const path of ['dist/server', 'dist/prisma'].flatMap(filesBelow)) {
    const source = path.replace(/^dist\//, '').replace(/\.js(\.map)?$/, '.ts');
    if (source.endsWith('.ts') && !existsSync(source)) rmSync(path);
  }
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
  return new Promise((done, failed) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output = (output + text).slice(-OUTPUT_CHARACTERS_MAX)));
    }
    child.once('error', (error) => done({ code: error.code, output }));
    child.once('spawn', () => tools.add(child));
    child.once('close', (code, signal) => {
      tools.delete(child);
      if (stopped) failed(new Failure(`Stopped by ${stopped}; the next run takes it up again.`));
      else done({ code: code ?? signal, output: output.trim() });
    });
  });
}
