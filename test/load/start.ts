/** From `npm start` to `ready`, the second time: built already, the embedded database made already. */
import { join } from 'node:path';
import type { Figure } from './figure.ts';
import { quantile } from './figure.ts';
import { ServerProcess } from '../support/server-process.ts';
import { trialDirectory } from './trial-server.ts';

const STARTS = 5;
const START_MAX_MS = 3_000;

export async function measureStart(): Promise<Figure> {
  await using directory = await trialDirectory();
  const DATA_DIR = join(directory.path, 'data');
  await start(DATA_DIR);
  const times = [];
  for (let round = 0; round < STARTS; round += 1) times.push(await start(DATA_DIR));
  return {
    name: `npm start to ready, from the second time on (median of ${STARTS})`,
    measured: quantile(times, 0.5),
    reference: START_MAX_MS,
    unit: 'ms',
    ratio: { atMost: 1 },
  };
}

async function start(DATA_DIR: string): Promise<number> {
  await using server = await ServerProcess.start(['npm', 'start'], { DATA_DIR });
  return server.readyMs;
}
