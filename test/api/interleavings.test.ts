/**
 * Everything that decides about slots, at once and in random order: two walks, the notifier, reports, and people who create, move,
 * assign, clear and delete. Whatever the interleaving, the invariants hold: those of every committed instant while it runs, the
 * slots' once the walks are done.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { queryOn, transaction } from '../../server/adapters/database.ts';
import { assign, unassign } from '../../server/domain/assignment.ts';
import { createDevice, deleteDevice, updateDevice } from '../../server/domain/device.ts';
import { Refusal } from '../../server/domain/errors.ts';
import { begin } from '../../server/domain/passage.ts';
import type { Query } from '../../server/domain/query.ts';
import { reconcile } from '../../server/domain/reconcile.ts';
import { applyStep } from '../../server/domain/report.ts';
import type { ReportStep } from '../../server/domain/report.ts';
import { lockSlots } from '../../server/domain/slot.ts';
import { tell } from '../../server/domain/tell.ts';
import { writeChanges } from '../../server/domain/update.ts';
import { walkSlice } from '../../server/domain/walk.ts';
import { testDatabase } from '../support/database.ts';
import { expectInvariants } from '../support/invariants.ts';
import { randomOf } from '../fleet/random.ts';
import type { Random } from '../fleet/random.ts';
import { seedCustomer, seedPackage, seedProfile, seedTenant } from '../support/seed.ts';
import type { Tenant } from '../support/seed.ts';

const SEED = Number(process.env['ALOFT_TEST_SEED'] ?? 1);
/** Many and short: what one walk misses, the next one mends. */
const ROUNDS = 100;
const ACTS_A_ROUND = 30;
const PEOPLE = 5;
/** Small, so that a walk over a few dozen devices has many seams; large, so that it is over before others have committed. */
const SLICES = [1, 3, 100];
const TYPES = ['FIRMWARE', 'SOFTWARE'] as const;
/** Three of each profile. */
const VERSIONS = ['1', '2', '3', '4', '5', '6'];

let database: Awaited<ReturnType<typeof testDatabase>>;

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

interface World {
  readonly tenant: Tenant;
  readonly profiles: readonly string[];
  readonly customers: readonly string[];
  readonly packages: readonly string[];
  readonly devices: string[];
}

/** One act of somebody: refused is fine, deadlocked is not. */
type Act = (query: Query, world: World, random: Random, now: Date) => Promise<unknown>;

const ACTS: readonly (readonly [weight: number, name: string, act: Act])[] = [
  [3, 'create', createSome],
  [
    2,
    'move',
    (query, world, random, now) =>
      updateDevice(
        query,
        world.tenant.actor,
        pick(random, world.devices),
        { deviceProfileId: pick(random, world.profiles) },
        now,
      ),
  ],
  [
    1,
    'give to a customer',
    (query, world, random, now) =>
      updateDevice(
        query,
        world.tenant.actor,
        pick(random, world.devices),
        { customerId: pick(random, [null, ...world.customers]) },
        now,
      ),
  ],
  [
    2,
    'assign to a device',
    (query, world, random, now) =>
      assign(query, world.tenant.actor, pick(random, world.packages), { deviceId: pick(random, world.devices) }, now),
  ],
  [
    2,
    'clear a device',
    (query, world, random, now) =>
      unassign(query, world.tenant.actor, pick(random, TYPES), { deviceId: pick(random, world.devices) }, now),
  ],
  [
    2,
    'assign to a profile',
    (query, world, random, now) =>
      assign(
        query,
        world.tenant.actor,
        pick(random, world.packages),
        { deviceProfileId: pick(random, world.profiles) },
        now,
      ),
  ],
  [
    1,
    'clear a profile',
    (query, world, random, now) =>
      unassign(query, world.tenant.actor, pick(random, TYPES), { deviceProfileId: pick(random, world.profiles) }, now),
  ],
  [
    1,
    'delete',
    (query, world, random, now) => deleteDevice(query, world.tenant.actor, pick(random, world.devices), now),
  ],
  [8, 'report', reportSome],
];

const CHOICES = ACTS.flatMap(([weight, name, act]) => Array.from({ length: weight }, () => ({ name, act })));

function pick<T>(random: Random, from: readonly T[]): T {
  const picked = from[random.integer(0, from.length - 1)];
  if (picked === undefined && !from.includes(picked as T)) throw new Error('nothing to pick from');
  return picked as T;
}

async function createSome(query: Query, world: World, random: Random, now: Date): Promise<void> {
  const { id } = await createDevice(
    query,
    world.tenant.actor,
    {
      name: `device ${random.fraction()}`,
      deviceProfileId: pick(random, world.profiles),
      customerId: pick(random, [null, ...world.customers]),
    },
    now,
  );
  world.devices.push(id);
}

/** A few devices say something in one batch, as the device API commits it. */
async function reportSome(query: Query, world: World, random: Random, now: Date): Promise<void> {
  const keys = Array.from({ length: 4 }, () => ({ deviceId: pick(random, world.devices), type: pick(random, TYPES) }));
  const unique = [...new Map(keys.map((key) => [`${key.deviceId} ${key.type}`, key])).values()];
  const situations = await lockSlots(query, unique);
  const changes = situations.map(({ slot, effective }) => {
    const reconciled = reconcile(begin(slot), effective, now);
    return { before: slot, passage: applyStep(reconciled, effective, someStep(random), now) };
  });
  await writeChanges(query, changes, now);
}

function someStep(random: Random): ReportStep {
  const state = pick(random, [
    'DOWNLOADING',
    'DOWNLOADED',
    'VERIFIED',
    'UPDATING',
    'UPDATED',
    'FAILED',
    undefined,
  ] as const);
  const version = pick(random, [undefined, undefined, ...VERSIONS]);
  return {
    ts: pick(random, [null, null, random.integer(0, 999)]),
    ...(state && { state }),
    ...(version && { title: 'firmware', version }),
  };
}

async function makeWorld(query: Query, round: number): Promise<World> {
  const tenant = await seedTenant(query, `Tenant ${round}`);
  const profiles = await Promise.all(['A', 'B'].map((name) => seedProfile(query, tenant, name)));
  const customers = [await seedCustomer(query, tenant, 'One'), await seedCustomer(query, tenant, 'Two')];
  const packages: string[] = [];
  for (const [index, deviceProfileId] of profiles.entries()) {
    for (const version of VERSIONS.slice(index * 3, index * 3 + 3)) {
      packages.push(await seedPackage(query, tenant, { deviceProfileId, title: 'firmware', version }));
      packages.push(
        await seedPackage(query, tenant, { deviceProfileId, title: 'software', version, type: 'SOFTWARE' }),
      );
    }
  }
  return { tenant, profiles, customers, packages, devices: [] };
}

test(`A5b U2 U11 ${ROUNDS * ACTS_A_ROUND} acts in random interleavings with running walks, and the invariants hold (seed ${SEED})`, async () => {
  const query = queryOn(database.pool);
  const tally = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const world = await makeWorld(query, round);
    const random = randomOf(SEED, 'round', round);
    for (let made = 0; made < 8; made += 1) {
      await transaction(database.writers, (one) => createSome(one, world, random, new Date()));
    }
    await runRound(world, random, tally);
    await walkToTheEnd();
    await transaction(database.pool, (one) => expectInvariants(one));
  }
  // The interleavings reached what they were made for.
  for (const [, name] of ACTS) expect(tally.get(`${name} done`), name).toBeGreaterThan(0);
  expect(tally.get('told'), 'told').toBeGreaterThan(0);
  expect(tally.get('slices'), 'slices of walks').toBeGreaterThan(ROUNDS);
}, 240_000);

async function runRound(world: World, random: Random, tally: Map<string, number>): Promise<void> {
  const count = (name: string, by = 1): unknown => tally.set(name, (tally.get(name) ?? 0) + by);
  let left = ACTS_A_ROUND;
  let people = PEOPLE;
  const person = async (own: Random): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { name, act } = pick(own, CHOICES);
      try {
        await transaction(database.pool, (query) => act(dawdle(query, own), world, own, new Date()));
        count(`${name} done`);
      } catch (error) {
        if (!(error instanceof Refusal)) throw new Error(`${name} failed`, { cause: error });
        count(`${name} refused`);
      }
    }
    people -= 1;
  };
  const walker = async (): Promise<void> => {
    while (people > 0) {
      if (await transaction(database.writers, (query) => walkSlice(query, pick(random, SLICES), new Date())))
        count('slices');
    }
  };
  const notifier = async (): Promise<void> => {
    while (people > 0) {
      const telling = await transaction(database.writers, (query) =>
        tell(query, world.tenant.id, { intervalMs: 1_000, size: 5_000 }, Date.now()),
      );
      count('told', telling?.told ?? 0);
    }
  };
  const observer = async (): Promise<void> => {
    while (people > 0) {
      await transaction(database.pool, async (query) => {
        await query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', []);
        await expectInvariants(query, { walking: true });
      });
      await delay(50);
    }
  };
  const persons = Array.from({ length: PEOPLE }, () => person(randomOf(random.integer(0, 2 ** 31), 'person')));
  await Promise.all(
    [...persons, walker(), walker(), notifier(), observer()].map((work) =>
      work.catch((error: unknown) => {
        left = 0;
        people = 0;
        throw error;
      }),
    ),
  );
}

/** Now and then waits between two statements, as a busy process does: what a lock must cover is then open for long. */
function dawdle(query: Query, random: Random): Query {
  return async (text, values) => {
    if (random.chance(0.03)) await delay(random.pick([1, 10, 100]));
    return query(text, values);
  };
}

async function walkToTheEnd(): Promise<void> {
  while (await transaction(database.writers, (query) => walkSlice(query, 10, new Date())));
}
