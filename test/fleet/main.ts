/** The `fleet` command: see `--help`. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { HELP, readArguments } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { Fleet } from './fleet.ts';
import { HttpTransport } from './http-transport.ts';
import { Progress } from './progress.ts';
import { UsageError, readTokenFile } from './token-file.ts';

const HTTP_PORT = 80;
const REACH_TIMEOUT_MS = 5_000;
/** Refused devices that are named one by one. */
const REFUSALS_SHOWN_MAX = 5;

try {
  const args = readArguments(process.argv.slice(2));
  if (args === null) console.log(HELP);
  else process.exitCode = await run(args);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`fleet: ${error.message}`);
  process.exitCode = 1;
}

/** @returns the exit code */
async function run({ url, tokenFile, count, types, stays, startsPerSecond, ...behaviour }: Arguments): Promise<number> {
  const found = readTokenFile(tokenFile);
  const wanted = count ?? found.length;
  if (found.length === 0) throw new UsageError(`--token-file ${tokenFile} holds no token.`);
  if (found.length < wanted) {
    throw new UsageError(`--token-file ${tokenFile} holds ${found.length} tokens, --count asks for ${wanted} devices.`);
  }
  await reach(url);

  await using fleet = new Fleet({
    credentials: found.slice(0, wanted),
    transportFor: ({ accessToken }) => new HttpTransport(url, accessToken),
    behaviour: { ...behaviour, types },
    startsPerSecond,
    stays,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void fleet.stop());
  await showing(new Progress(process.stdout, () => fleet.summary), fleet.ended);
  const { refused } = fleet.summary;
  for (const { device, reason } of refused.slice(0, REFUSALS_SHOWN_MAX))
    console.error(`fleet: ${device} was refused: ${reason}`);
  if (refused.length > REFUSALS_SHOWN_MAX) console.error(`fleet: … and ${refused.length - REFUSALS_SHOWN_MAX} more`);
  return refused.length > 0 ? 1 : 0;
}

async function showing(progress: Progress, until: Promise<void>): Promise<void> {
  using shown = progress;
  await until;
  shown.draw();
}

/** Devices would try for ever; whoever typed a wrong address wants to hear of it. */
async function reach(url: URL): Promise<void> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const socket = connect({ host, port: Number(url.port || HTTP_PORT) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(REACH_TIMEOUT_MS) });
  } catch (error) {
    const reason = codeOf(error) ?? `no answer in ${REACH_TIMEOUT_MS} ms`;
    throw new UsageError(`no server at --url ${url.origin} (${reason}): start it, or correct the address.`);
  } finally {
    socket.destroy();
  }
}

/** The system's word, such as ECONNREFUSED. */
function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('E')
    ? error.code
    : null;
}
