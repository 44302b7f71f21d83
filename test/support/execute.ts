/** Runs a program of the system to its end. */
import { execFile } from 'node:child_process';

/** Never throws: a program that is missing or fails has another code than 0. */
export function execute(program: string, args: readonly string[]): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? 1) : 0, output: stdout + stderr }),
    );
  });
}
