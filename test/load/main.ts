/**
 * Measures the server in one run and prints each figure beside what it is held against; ends with 1 where one is missed.
 * Words name the figures to measure: start, memory, latency, reports. None: all.
 */
import { figureTable, isMet } from './figure.ts';
import type { Figure } from './figure.ts';
import { measureLatency } from './latency.ts';
import { measureReports } from './reports.ts';
import { measureStart } from './start.ts';
import { startTrialServer } from './trial-server.ts';
import type { TrialServer } from './trial-server.ts';
import { measureUploadMemory } from './upload-memory.ts';

/** In this order, one after the other, so that none disturbs the next: memory while the server is young. */
const OF_ONE_SERVER: Readonly<Record<string, (trial: TrialServer) => Promise<Figure>>> = {
  memory: measureUploadMemory,
  latency: measureLatency,
  reports: measureReports,
};
const NAMES = ['start', ...Object.keys(OF_ONE_SERVER)];

const named = process.argv.slice(2);
const unknown = named.find((name) => !NAMES.includes(name));
if (unknown === undefined) {
  const figures = await measure(named.length === 0 ? NAMES : named);
  console.log(figureTable(figures));
  if (!figures.every(isMet)) process.exitCode = 1;
} else {
  console.error(`${unknown} is none of ${NAMES.join(', ')}.`);
  process.exitCode = 1;
}

async function measure(names: readonly string[]): Promise<Figure[]> {
  const figures = names.includes('start') ? [await say('start', measureStart)] : [];
  const others = Object.entries(OF_ONE_SERVER).filter(([name]) => names.includes(name));
  if (others.length === 0) return figures;
  await using trial = await startTrialServer();
  for (const [name, measureOne] of others) figures.push(await say(name, () => measureOne(trial)));
  return figures;
}

function say(name: string, measureOne: () => Promise<Figure>): Promise<Figure> {
  console.error(`measuring ${name} …`);
  return measureOne();
}
