/**
 * Reports committed per second over HTTP, beside what plain statements reach on the same database in the same run.
 *
 * 256 devices, each on a connection of its own that is kept alive, report as fast as they are answered: DOWNLOADED and
 * DOWNLOADING in turn, so that every report is a change of state with its event and its counters. Rounds of both kinds alternate,
 * and the medians are compared: a neighbour on the machine disturbs both.
 */
import type { Client } from 'pg';
import { quantile } from './figure.ts';
import type { Figure } from './figure.ts';
import { KeepAliveConnection, postRequest } from './keep-alive.ts';
import { PlainStatements, ROWS } from './statements.ts';
import type { TrialServer } from './trial-server.ts';

const DEVICES = 256;
const ROUNDS = 3;
const ROUND_MS = 4_000;
const PACKAGE_BYTES = 4_096;
const TOLD_TIMEOUT_MS = 60_000;

interface Reporter {
  readonly connection: KeepAliveConnection;
  /** The request for each state. */
  readonly DOWNLOADING: string;
  readonly DOWNLOADED: string;
}

export async function measureReports({ server, management, database }: TrialServer): Promise<Figure> {
  const profile = await management.createProfile('load: reports');
  const reporting = names('report', DEVICES);
  const written = names('plain', ROWS);
  await management.createDevices(profile, [...reporting, ...written]);
  const { id } = await management.upload(profile, 'load: reports', PACKAGE_BYTES);
  await management.assign(id, profile);
  await untilTold(database, profile, DEVICES + ROWS);

  await moveByReport(server.url, written);
  const plain = await PlainStatements.over(database, 'plain', 'DOWNLOADING');
  const rates: { plain: number[]; reported: number[] } = { plain: [], reported: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    rates.plain.push(await plain.measure(ROUND_MS));
    rates.reported.push(await measureRound(database, server.url, reporting));
  }
  return {
    name: `reports committed over HTTP, ${DEVICES} devices at once, beside plain statements of ${ROWS} rows`,
    measured: quantile(rates.reported, 0.5),
    reference: quantile(rates.plain, 0.5),
    unit: 'per s',
    ratio: { atLeast: 0.25 },
  };
}

/** @returns reports per second; each was acknowledged, and has its event in the database */
async function measureRound(database: Client, url: URL, tokens: readonly string[]): Promise<number> {
  const reporters = await Promise.all(tokens.map((token) => open(url, token)));
  try {
    await Promise.all(reporters.map((reporter) => report(reporter, 'DOWNLOADING')));
    const before = await lastEvent(database);
    const startedAt = performance.now();
    const counts = await Promise.all(reporters.map((reporter) => reportFor(ROUND_MS, reporter)));
    const elapsedMs = performance.now() - startedAt;
    const acknowledged = counts.reduce((sum, count) => sum + count, 0);
    const written = await eventsAfter(database, before);
    if (written !== acknowledged) throw new Error(`${acknowledged} reports acknowledged, ${written} events written.`);
    return (acknowledged * 1_000) / elapsedMs;
  } finally {
    for (const { connection } of reporters) connection[Symbol.dispose]();
  }
}

async function reportFor(durationMs: number, reporter: Reporter): Promise<number> {
  const startedAt = performance.now();
  let count = 0;
  for (; performance.now() - startedAt < durationMs; count += 1) {
    await report(reporter, count % 2 === 0 ? 'DOWNLOADED' : 'DOWNLOADING');
  }
  return count;
}

async function report(reporter: Reporter, state: 'DOWNLOADING' | 'DOWNLOADED'): Promise<void> {
  const status = await reporter.connection.send(reporter[state]);
  if (status !== 200) throw new Error(`A report was answered ${status}.`);
}

async function open(url: URL, token: string): Promise<Reporter> {
  const request = (state: string): string =>
    postRequest(url, `/api/v1/${token}/telemetry`, JSON.stringify({ fw_state: state }));
  return {
    connection: await KeepAliveConnection.open(url),
    DOWNLOADING: request('DOWNLOADING'),
    DOWNLOADED: request('DOWNLOADED'),
  };
}

/** Through both states and back, so that both have their counters. */
async function moveByReport(url: URL, tokens: readonly string[]): Promise<void> {
  for (const token of tokens) {
    const reporter = await open(url, token);
    for (const state of ['DOWNLOADING', 'DOWNLOADED', 'DOWNLOADING'] as const) await report(reporter, state);
    reporter.connection[Symbol.dispose]();
  }
}

async function untilTold(database: Client, profile: string, count: number): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const { rows } = await database.query<{ told: number }>(
      `SELECT count(*)::int AS told FROM slot WHERE device_profile_id = $1::uuid AND type = 'FIRMWARE' AND state = 'INITIATED'`,
      [profile],
    );
    if (rows[0]?.told === count) return;
    if (performance.now() - startedAt > TOLD_TIMEOUT_MS)
      throw new Error(`${rows[0]?.told} of ${count} devices were told.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function lastEvent(database: Client): Promise<string> {
  const { rows } = await database.query<{ seq: string }>('SELECT coalesce(max(seq), 0)::text AS seq FROM update_event');
  return rows[0]?.seq ?? '0';
}

async function eventsAfter(database: Client, seq: string): Promise<number | undefined> {
  const { rows } = await database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM update_event WHERE seq > $1',
    [seq],
  );
  return rows[0]?.count;
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(4, '0')}`);
}
