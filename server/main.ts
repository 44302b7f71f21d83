/**
 * Environment → app → wait for a signal.
 *
 * Standard output has the log and what an operator waits for; standard error has one line, and only where the server cannot start or
 * go on, so that a supervisor can show it as it is.
 */
import { pino } from 'pino';
import { createApp } from './app.ts';
import { SettingError, StartError, readConfig, setTemporaryDirectory } from './config.ts';

const logger = pino({ level: 'info', base: null }, pino.destination({ fd: 1, sync: true }));

/** npm hands on a signal that the terminal has sent to us as well: within this, two are one. */
const SAME_SIGNAL_MS = 1_000;

/** Resolves with the first SIGTERM or SIGINT; another one ends the process at once, as people expect of Ctrl C twice. */
async function stopSignal(): Promise<void> {
  let firstAt = 0;
  await new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        const now = performance.now();
        if (firstAt === 0) firstAt = now;
        else if (now - firstAt > SAME_SIGNAL_MS) process.exit(1);
        resolve();
      });
    }
  });
}

async function main(): Promise<void> {
  const stopped = stopSignal();
  const config = readConfig(process.env);
  await using app = await createApp(config, logger);
  // graphql-upload-ts spools uploads to the temporary directory. On the store's file system there is room for a package, and what a
  // killed process leaves there is swept.
  setTemporaryDirectory(app.incomingDirectory);
  if (app.firstPassword !== undefined) {
    process.stdout.write(`first sign-in: ${config.admin.email} with the password ${app.firstPassword} (shown once)\n`);
  }
  process.stdout.write(`ready ${app.url}\n`);
  await stopped;
  logger.info('stopping');
}

try {
  await main();
} catch (error) {
  const isForPeople = error instanceof SettingError || error instanceof StartError;
  if (isForPeople) process.stderr.write(`${error.message}\n`);
  else {
    logger.fatal({ err: error }, 'Aloft cannot go on');
    const [what] = String(error).split('\n', 1);
    process.stderr.write(`Aloft cannot go on: ${what}; the log on standard output says more.\n`);
  }
  process.exitCode = 1;
}
// What still holds the event loop (a lost connection's timer) must not hold the end.
process.exit();
