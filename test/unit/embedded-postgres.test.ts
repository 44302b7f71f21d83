import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closedTo, parseAccounts } from '../../server/adapters/embedded-postgres/account.ts';
import { parsePidFile } from '../../server/adapters/embedded-postgres/postmaster.ts';
import { reason } from '../../server/adapters/embedded-postgres/program.ts';
import { fits } from '../../server/adapters/embedded-postgres/socket.ts';

describe('accounts', () => {
  test('are read from passwd lines, negative numbers of macOS included; comments and broken lines are none', () => {
    const passwd =
      '# a comment\nroot:x:0:0:root:/root:/bin/sh\nnobody:*:-2:-2::/var/empty:/usr/bin/false\nhalf:x:1\n\n+::::::\n';
    expect(parseAccounts(passwd)).toEqual([
      { name: 'root', uid: 0, gid: 0 },
      { name: 'nobody', uid: -2, gid: -2 },
    ]);
  });

  describe('and the way to a directory', () => {
    let base: string;
    beforeAll(async () => {
      base = await mkdtemp(join(tmpdir(), 'aloft-account-'));
      await mkdir(join(base, 'a', 'b'), { recursive: true });
    });
    afterAll(() => rm(base, { recursive: true }));

    const ours = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
    const account = (uid: number, gid: number) => ({ name: 'someone', uid, gid });

    test.each([
      ['others may pass', 0o701, account(12_345, 12_345), true],
      ['others may only look', 0o704, account(12_345, 12_345), false],
      ['its group may pass', 0o710, account(12_345, ours.gid), true],
      ['its group may not, though others may', 0o701, account(12_345, ours.gid), false],
      ['its owner may pass', 0o100, account(ours.uid, 12_345), true],
      ['its owner may not, though others may', 0o011, account(ours.uid, ours.gid), false],
    ])('%s', async (_, mode, someone, enters) => {
      await chmod(base, 0o711);
      await chmod(join(base, 'a'), mode);
      const closed = await closedTo(someone, join(base, 'a', 'b'));
      await chmod(join(base, 'a'), 0o755);
      expect(closed).toBe(enters ? undefined : join(base, 'a'));
    });
  });
});

describe('postmaster.pid', () => {
  const text = '4242\n/data/postgres\n1795475946\n5432\n/data/postgres\n\n  2883587        12\nready   \n';

  test('tells where the postmaster listens and how it is', () => {
    expect(parsePidFile(text)).toEqual({ pid: 4242, port: 5432, socketDir: '/data/postgres', status: 'ready' });
  });

  test.each([
    ['no file', ''],
    ['a file that is being written', text.slice(0, 20)],
    ['a postmaster without a socket', text.replace('5432\n/data/postgres', '5432\n')],
  ])('%s tells nothing', (_, content) => {
    expect(parsePidFile(content)).toBeUndefined();
  });
});

test('of what a program says, the line that tells why is kept', () => {
  expect(reason('LOG:  starting\nFATAL:  no space left\nHINT:  buy a disk\nLOG:  shut down\n')).toBe(
    'FATAL:  no space left',
  );
  expect(reason('creating ...\ninitdb: error: directory exists\ninitdb: hint: remove it\n')).toBe(
    'initdb: error: directory exists',
  );
  expect(reason('one\ntwo\n\n')).toBe('two');
  expect(reason('')).toBe('it said nothing');
});

test('a socket path holds 100 bytes, counted in bytes', () => {
  const name = '/.s.PGSQL.5432';
  expect(fits('x'.repeat(100 - name.length))).toBe(true);
  expect(fits('x'.repeat(101 - name.length))).toBe(false);
  expect(fits('ü'.repeat(50))).toBe(false);
});
