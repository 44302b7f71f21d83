/** How a run of the tests ends: in bounded time, and with one line that counts. */
import type { Reporter, TestModule, Vitest } from 'vitest/node';

/** Beyond it something hangs that no test's own limit can end: an import, a set-up, a loop that never yields. */
const RUN_MAX_MS = 30 * 60_000;

export class RunEnd implements Reporter {
  onInit(vitest: Vitest): void {
    if (!vitest.config.watch) setTimeout(giveUp, RUN_MAX_MS, vitest).unref();
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      // What could not be imported, or whose hook failed, has failed even if no test of it ran.
      const groups = [module, ...module.children.allSuites()];
      count.failed += groups.filter((group) => group.errors().length > 0).length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === 'pending' ? 'skipped' : state] += 1;
      }
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}

function giveUp(vitest: Vitest): void {
  const running = vitest.state.getTestModules().filter((module) => module.state() === 'pending');
  const names = running.map((module) => module.relativeModuleId).join(', ');
  console.error(`The run is given up after ${RUN_MAX_MS / 60_000} minutes; still running: ${names || 'the set-up'}.`);
  process.exitCode = 1;
  // The first asks; the second, as after pressing Ctrl-C twice, kills the worker that cannot answer.
  void vitest.cancelCurrentRun('keyboard-input');
  void vitest.cancelCurrentRun('keyboard-input');
  void vitest.exit(true);
}
