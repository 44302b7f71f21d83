/**
 * A process with nothing but the database in it, to be killed by tests. It runs the compiled code, opens the database
 * as the environment says, tells so in a line of JSON, and ends as the server does: on SIGTERM with 0, or with 1 and
 * one line on standard error where it cannot start. With WRITE set it commits rows one after the other, and tells of
 * each one when it is committed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { openDatabase, transaction } from '../../dist/server/adapters/database.js';
import { readConfig, SettingError, StartError } from '../../dist/server/config.js';

const WRITE_AGAIN_MS = 10;
const log = pino(
  { level: 'warn', base: null, timestamp: false, messageKey: 'warned' },
  pino.destination({ fd: 1, sync: true }),
);
const ending = new AbortController();

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function run() {
  const started = performance.now();
  const database = await openDatabase(readConfig(process.env), log);
  process.once('SIGTERM', () => void end(database));
  const { rows } = await database.pool.query(`SELECT current_setting('data_directory') AS cluster`);
  const ms = Math.round(performance.now() - started);
  tell({ opened: { ms, host: database.pool.options.host, ...rows[0] } });
  if (process.env.WRITE) await write(database);
}

async function end(database) {
  ending.abort();
  await database[Symbol.asyncDispose]();
  process.exit();
}

async function write({ pool, writers }) {
  await pool.query('CREATE TABLE IF NOT EXISTS written (id int PRIMARY KEY)');
  const { rows } = await pool.query('SELECT coalesce(max(id), 0) AS id FROM written');
  for (let id = rows[0].id + 1; !ending.signal.aborted; id++) {
    try {
      await transaction(writers, (query) => query('INSERT INTO written VALUES ($1)', [id]));
      tell({ written: id });
    } catch (error) {
      tell({ failed: String(error) });
      await delay(WRITE_AGAIN_MS);
    }
  }
}

try {
  await run();
} catch (error) {
  if (!(error instanceof StartError || error instanceof SettingError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
