/**
 * One process at a time prepares the checkout. The lock is a file that its holder touches as long as it lives; it names
 * the tools at work, because they outlive a holder that is killed.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';

const TOUCH_MS = 500;
const LOOK_MS = 100;
/** Watched this long without a touch, the holder is dead. */
const SILENCE_MAX_MS = 3_000;
/** And so are its tools: a number that still lives is another program's by now. */
const TOOL_MAX_MS = 120_000;

/** Runs `work` while holding the lock `path`; `tools` are the child processes at work, which `work` keeps up to date. */
export async function exclusively(path, tools, work) {
  mkdirSync(dirname(path), { recursive: true });
  const isAbandoned = watch(path);
  for (let looks = 0; !tryLock(path); looks += 1) {
    if (looks === 0) console.error('Waiting for another run that makes the checkout ready …');
    await new Promise((later) => setTimeout(later, LOOK_MS));
    if (isAbandoned()) rmSync(path, { force: true });
  }
  const touch = setInterval(() => write(path, tools), TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    rmSync(path, { force: true });
  }
}

function tryLock(path) {
  try {
    write(path, [], 'wx');
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function write(path, tools, flag = 'w') {
  writeFileSync(path, [...tools].map((tool) => tool.pid).join(' '), { flag });
}

/** Measured by watching, not by the file's age: clocks differ, and a machine that slept has let nobody die. */
function watch(path) {
  let touched;
  let since = performance.now();
  return () => {
    try {
      const { mtimeMs } = statSync(path);
      if (mtimeMs !== touched) [touched, since] = [mtimeMs, performance.now()];
      const silence = performance.now() - since;
      return silence > SILENCE_MAX_MS && (silence > TOOL_MAX_MS || !namesLiving(readFileSync(path, 'utf8')));
    } catch (error) {
      if (error.code === 'ENOENT') return false;
      throw error;
    }
  };
}

function namesLiving(numbers) {
  return numbers.split(' ').some((number) => {
    try {
      return number !== '' && process.kill(Number(number), 0);
    } catch (error) {
      return error.code === 'EPERM';
    }
  });
}
