/** Who may import whom. A target is an area of the source tree, `node` (its built-ins) or the name of a package. */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { importsOf, type Import } from './source-imports.ts';

interface Directions {
  readonly may: readonly string[];
  /** Only by `import type`. */
  readonly types?: readonly string[];
}

const LIBRARIES = '*';

const GRAPHQL = [
  'graphql',
  'graphql-yoga',
  'graphql-ws',
  'graphql-upload-ts',
  'ws',
  'dataloader',
  '@pothos/*',
  '@graphql-yoga/*',
  'dataloader',
];
const HTTP = ['lossless-json'];
const EVERY_PART = ['config', 'domain', 'adapters', 'graphql', 'devices', 'loops'];

export const DIRECTIONS: Readonly<Record<string, Directions>> = {
  domain: { may: ['domain', 'node', 'uuid'], types: ['prisma', 'pg'] },
  graphql: { may: ['graphql', 'domain', 'node', 'prisma', ...GRAPHQL], types: ['config', 'pino'] },
  devices: { may: ['devices', 'domain', 'node', ...HTTP], types: ['config', 'pino', 'prisma'] },
  loops: { may: ['loops', 'domain', 'node'], types: ['config', 'pino', 'prisma'] },
  adapters: { may: ['adapters', 'domain', 'config', 'node', 'prisma', LIBRARIES] },
  config: { may: ['node'], types: ['domain'] },
  app: { may: ['app', ...EVERY_PART, 'node', 'prisma', LIBRARIES] },
  main: { may: ['app', 'config', 'node', 'pino'] },
  cli: { may: ['cli', 'app', 'config', 'adapters', 'domain', 'node', LIBRARIES] },
  client: { may: ['client', LIBRARIES] },
};

/** One line for each import of `path` (from the top of the repository) that the table does not allow. */
export function violationsOf(path: string, text: string): string[] {
  const area = areaOf(path);
  const directions = DIRECTIONS[area];
  if (!directions) return [`${path}: "${area}" is no area that may import anything`];
  return importsOf(path, text)
    .filter((found) => !isAllowed(directions, targetOf(path, found.specifier), found))
    .map(
      (found) => `${path}:${found.line} "${area}" may not import ${found.isType ? 'types of ' : ''}${found.specifier}`,
    );
}

function isAllowed({ may, types = [] }: Directions, target: string, { isType }: Import): boolean {
  const isLibrary = !(target in DIRECTIONS) && !['node', 'prisma', 'test', 'unknown'].includes(target);
  return (isType ? [...may, ...types] : may).some(
    (allowed) =>
      allowed === target ||
      (allowed === LIBRARIES && isLibrary) ||
      (allowed.endsWith('/*') && target.startsWith(allowed.slice(0, -1))),
  );
}

function targetOf(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return areaOf(posix.join(posix.dirname(path), specifier));
  if (isBuiltin(specifier)) return 'node';
  const name = /^(@[\w.-]+\/)?[\w.-]+/.exec(specifier)?.[0];
  return name ?? 'unknown';
}

/** `server/domain/slot.ts` is of `domain`, `server/app.ts` of `app`, `client/main.tsx` of `client`. */
function areaOf(path: string): string {
  const [top, second] = path.split('/');
  if (top === 'server' && second) return second.replace(/\.ts$/, '');
  return top === 'client' || top === 'prisma' || top === 'test' ? top : 'unknown';
}
