/** Unpacks the Chromium that the npm package `@sparticuz/chromium` carries, with its libraries and fonts. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const ENTRY = fileURLToPath(import.meta.resolve('@sparticuz/chromium'));
const ARCHIVES = join(dirname(ENTRY), '../bin');
const CACHE = fileURLToPath(new URL('../../dist/chromium/', import.meta.url));
const UNPACK_TIMEOUT_MS = 120_000;

/** The package unpacks to the temporary directory and believes whatever it finds there, so it is given one of its own. */
const UNPACK = `
  import { inflate } from ${JSON.stringify(ENTRY)};
  await Promise.all(process.argv.slice(1).map(inflate)).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
`;

/** The path of a script that starts the browser with what it needs from beside it. Unpacks once (204 MB, 4 s). */
export async function unpackChromium(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ARCHIVES, '../package.json'), 'utf8')) as { version: string };
  const home = join(CACHE, version);
  const script = join(home, 'start');
  if (existsSync(script)) return script;

  await mkdir(CACHE, { recursive: true });
  const fresh = await mkdtemp(join(CACHE, 'unpacking-'));
  try {
    const archives = ['chromium.br', 'al2023.tar.br', 'fonts.tar.br'].map((name) => join(ARCHIVES, name));
    await run(process.execPath, ['--input-type=module', '--eval', UNPACK, ...archives], {
      env: { ...process.env, TMPDIR: fresh },
      timeout: UNPACK_TIMEOUT_MS,
    });
    await writeFile(join(fresh, 'fonts.conf'), FONTS);
    await writeFile(join(fresh, 'start'), START, { mode: 0o755 });
    await rename(fresh, home);
  } catch (error) {
    // Another run was first: its directory is as good.
    if (!existsSync(script)) throw error;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return script;
}

/** A bare system lacks the libraries of NSS, and fonts. */
const START = `#!/bin/sh
home=$(dirname "$(readlink -f "$0")")
export FONTCONFIG_FILE="$home/fonts.conf"
export LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$home/al2023/lib"
exec "$home/chromium" "$@"
`;

const FONTS = `<?xml version="1.0"?>
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;
