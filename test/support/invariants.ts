/** What must hold in the database at every committed instant, or once no walk is in progress: one SQL statement for each rule. */
import { expect } from 'vitest';
import type { Query } from '../../server/domain/query.ts';

/** Each returns the rows that break it. */
const ALWAYS = {
  'U2 at most one update is open in a slot': `
    SELECT device_id, type, count(*) FROM update WHERE finished_at IS NULL GROUP BY 1, 2 HAVING count(*) > 1`,
  'an open update is its slot’s latest': `
    SELECT u.id FROM update u WHERE u.finished_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM slot s WHERE s.update_id = u.id AND s.device_id = u.device_id AND s.type = u.type)`,
  'a slot’s copies are those of its latest update': `
    SELECT s.device_id FROM slot s LEFT JOIN update u ON u.id = s.update_id
    WHERE s.state <> coalesce(u.state, 'NONE') OR s.assignment_id IS DISTINCT FROM u.assignment_id`,
  'a slot’s copies are those of its device, and every living device has both slots': `
    SELECT d.id FROM device d LEFT JOIN slot s ON s.device_id = d.id
    GROUP BY d.id HAVING count(s.*) <> CASE WHEN d.deleted_at IS NULL THEN 2 ELSE 0 END
      OR bool_or(s.device_id IS NOT NULL AND (s.name <> d.name OR s.device_profile_id <> d.device_profile_id OR s.tenant_id <> d.tenant_id
                 OR s.customer_id IS DISTINCT FROM d.customer_id))`,
  'U4 every update’s last event is as the update is, and its revisions have no gap': `
    SELECT u.id FROM update u LEFT JOIN LATERAL (
      SELECT count(*) AS events, max(revision) AS revision, (array_agg(state ORDER BY seq DESC))[1] AS state,
             (array_agg(result ORDER BY seq DESC))[1] AS result FROM update_event e WHERE e.update_id = u.id
    ) AS e ON true
    WHERE e.state IS DISTINCT FROM u.state OR e.result IS DISTINCT FROM u.result OR e.revision IS DISTINCT FROM u.revision
       OR e.events <> u.revision`,
  'U13 nothing is told twice in one update, but after the former package finished first': `
    SELECT e.update_id FROM update_event e JOIN update u ON u.id = e.update_id
    WHERE e.state = 'INITIATED' AND u.took_over_package_id IS NULL GROUP BY 1 HAVING count(*) > 1`,
  'U11 the fleet’s counters equal the rows': `
    SELECT * FROM (
      SELECT tenant_id, coalesce(customer_id, '00000000-0000-0000-0000-000000000000') AS customer_id, device_profile_id, type, state,
             count(*)::int FROM slot GROUP BY 1, 2, 3, 4, 5
    ) AS rows FULL JOIN (SELECT * FROM fleet_count WHERE count > 0) AS counters
      USING (tenant_id, customer_id, device_profile_id, type, state)
    WHERE rows.count IS DISTINCT FROM counters.count`,
  'U11 the assignments’ counters equal the rows': `
    SELECT * FROM (SELECT assignment_id, state, count(*)::int FROM update WHERE counted GROUP BY 1, 2) AS rows
    FULL JOIN (SELECT * FROM assignment_count WHERE count > 0) AS counters USING (assignment_id, state)
    WHERE rows.count IS DISTINCT FROM counters.count`,
  'U11 a device counts once in an assignment, by its latest update there': `
    SELECT assignment_id, device_id FROM (
      SELECT u.*, (SELECT min(seq) FROM update_event WHERE update_id = u.id) AS seq FROM update u
    ) AS ordered GROUP BY 1, 2
    HAVING count(*) FILTER (WHERE counted) > 1
       OR (count(*) FILTER (WHERE counted) = 1 AND (array_agg(counted ORDER BY seq DESC))[1] IS NOT TRUE)`,
  'one assignment is in force for a subject and type': `
    SELECT device_profile_id, device_id, type FROM assignment WHERE ended_at IS NULL GROUP BY 1, 2, 3 HAVING count(*) > 1`,
  'an own assignment in force is in its slot, and only there': `
    SELECT a.id FROM assignment a FULL JOIN slot s ON s.own_assignment_id = a.id
    WHERE (a.device_id IS NOT NULL AND a.ended_at IS NULL AND s.device_id IS DISTINCT FROM a.device_id)
       OR (s.own_assignment_id IS NOT NULL AND a.ended_at IS NOT NULL)`,
} as const;

const OUTSIDE_A_WALK = {
  'every slot’s latest update is for its effective package, or none is open': `
    SELECT s.device_id, s.type FROM slot s
    LEFT JOIN assignment pa ON pa.device_profile_id = s.device_profile_id AND pa.type = s.type AND pa.ended_at IS NULL
    LEFT JOIN assignment a ON a.id = coalesce(s.own_assignment_id, pa.id)
    LEFT JOIN update u ON u.id = s.update_id
    WHERE CASE WHEN a.id IS NULL THEN u.finished_at IS NULL AND u.id IS NOT NULL
               ELSE u.package_id IS DISTINCT FROM a.package_id END`,
  'an open update belongs to the assignment in force': `
    SELECT s.device_id, s.type FROM slot s
    LEFT JOIN assignment pa ON pa.device_profile_id = s.device_profile_id AND pa.type = s.type AND pa.ended_at IS NULL
    JOIN update u ON u.id = s.update_id AND u.finished_at IS NULL
    WHERE u.assignment_id <> coalesce(s.own_assignment_id, pa.id)`,
} as const;

/** Checks the invariants in one snapshot of the database: `query` runs in a REPEATABLE READ transaction, or nothing is writing. */
export async function expectInvariants(query: Query, its: { walking: boolean } = { walking: false }): Promise<void> {
  for (const [rule, sql] of Object.entries(its.walking ? ALWAYS : { ...ALWAYS, ...OUTSIDE_A_WALK })) {
    expect(await query(`${sql} LIMIT 5`, []), rule).toEqual([]);
  }
}
