/**
 * What the database alone can take: the same rows that reports write (update, slot, event, counters), 200 in a transaction,
 * sorted, in plain statements on one connection, one transaction after the other. No reading, no deciding, no log lock.
 */
import type { Client } from 'pg';

export const ROWS = 200;

type State = 'DOWNLOADING' | 'DOWNLOADED';

export class PlainStatements {
  readonly #database: Client;
  readonly #updateIds: readonly string[];
  #state: State;

  private constructor(database: Client, updateIds: readonly string[], state: State) {
    this.#database = database;
    this.#updateIds = updateIds;
    this.#state = state;
  }

  /** Uses the first 200 of the devices whose name begins with `prefix`. All must stand in `state`, and must have been in the other. */
  static async over(database: Client, prefix: string, state: State): Promise<PlainStatements> {
    const { rows } = await database.query<{ id: string }>(
      `SELECT update_id AS id FROM slot WHERE starts_with(name, $1) AND type = 'FIRMWARE' AND state = $2::update_state
       ORDER BY device_id LIMIT $3`,
      [prefix, state, ROWS],
    );
    if (rows.length < ROWS) throw new Error(`Only ${rows.length} devices of ${prefix} stand in ${state}.`);
    const updateIds = rows.map(({ id }) => id);
    return new PlainStatements(database, updateIds, state);
  }

  /** @returns rows committed per second */
  async measure(durationMs: number): Promise<number> {
    const startedAt = performance.now();
    let rows = 0;
    while (performance.now() - startedAt < durationMs) {
      await this.#commit();
      rows += ROWS;
    }
    return (rows * 1_000) / (performance.now() - startedAt);
  }

  async #commit(): Promise<void> {
    const from = this.#state;
    const to = from === 'DOWNLOADING' ? 'DOWNLOADED' : 'DOWNLOADING';
    await this.#database.query('BEGIN');
    await this.#database.query(UPDATE_SLOTS, [this.#updateIds, to]);
    await this.#database.query(UPDATE_UPDATES, [this.#updateIds, to]);
    const { rowCount } = await this.#database.query(INSERT_EVENTS, [this.#updateIds]);
    await this.#database.query(COUNT_FLEET, [this.#updateIds[0], from, to, ROWS]);
    await this.#database.query(COUNT_ASSIGNMENT, [this.#updateIds[0], from, to, ROWS]);
    await this.#database.query('COMMIT');
    if (rowCount !== ROWS) throw new Error(`${rowCount} events instead of ${ROWS}.`);
    this.#state = to;
  }
}

const UPDATE_SLOTS = `
  UPDATE slot SET state = $2::update_state, state_at = now() FROM unnest($1::uuid[]) AS given(id) WHERE slot.update_id = given.id`;

const UPDATE_UPDATES = `
  UPDATE update SET state = $2::update_state, revision = revision + 1, updated_at = now()
  FROM unnest($1::uuid[]) AS given(id) WHERE update.id = given.id`;

const INSERT_EVENTS = `
  INSERT INTO update_event (seq, tenant_id, device_profile_id, device_id, type, update_id, package_id, state, revision,
    bytes_served, bytes_total, at, received_at)
  SELECT nextval('log_seq'), s.tenant_id, s.device_profile_id, s.device_id, s.type, u.id, u.package_id, u.state, u.revision,
    u.bytes_served, u.bytes_total, now(), now()
  FROM unnest($1::uuid[]) AS given(id) JOIN update u ON u.id = given.id JOIN slot s ON s.update_id = u.id`;

const COUNT_FLEET = `
  UPDATE fleet_count c SET count = count + CASE c.state WHEN $2::update_state THEN -$4::int ELSE $4::int END
  FROM slot s WHERE s.update_id = $1::uuid AND c.tenant_id = s.tenant_id AND c.device_profile_id = s.device_profile_id
    AND c.type = s.type AND c.state IN ($2::update_state, $3::update_state)`;

const COUNT_ASSIGNMENT = `
  UPDATE assignment_count c SET count = count + CASE c.state WHEN $2::update_state THEN -$4::int ELSE $4::int END
  FROM update u WHERE u.id = $1::uuid AND c.assignment_id = u.assignment_id AND c.state IN ($2::update_state, $3::update_state)`;
