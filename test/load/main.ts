/** Measures the server in one run and prints each figure beside what it is held against. Ends with 1 where one is missed. */
import { figureTable, isMet } from './figure.ts';
import type { Figure } from './figure.ts';
import { measureLatency } from './latency.ts';
import { measureReports } from './reports.ts';
import { measureStart } from './start.ts';
import { startTrialServer } from './trial-server.ts';
import { measureUploadMemory } from './upload-memory.ts';

const figures = [await measureStart(), ...(await measureOneServer())];
console.log(figureTable(figures));
if (!figures.every(isMet)) process.exitCode = 1;

/** Memory first, while the server is young; one after the other, so that none disturbs the next. */
async function measureOneServer(): Promise<Figure[]> {
  await using trial = await startTrialServer();
  return [await measureUploadMemory(trial), await measureLatency(trial), await measureReports(trial)];
}
