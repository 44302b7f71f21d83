/**
 * The first lock of all. Assigning to and unassigning from a profile take it alone; creating, moving, own assignment and telling
 * take it shared before they read the profile's assignment. So whoever commits first is seen by the walk, and whoever comes
 * later sees the new assignment.
 */
import type { Query } from './query.ts';

export async function lockProfile(query: Query, deviceProfileId: string): Promise<void> {
  await query("SELECT pg_advisory_xact_lock(hashtextextended('profile ' || $1::text, 0))::text", [deviceProfileId]);
}

/** Several at once in one order, so that two movers in opposite directions do not wait for each other. */
export async function shareProfiles(query: Query, deviceProfileIds: readonly string[]): Promise<void> {
  if (deviceProfileIds.length === 0) return;
  await query(
    `SELECT pg_advisory_xact_lock_shared(key)::text
     FROM (SELECT DISTINCT hashtextextended('profile ' || id, 0) AS key FROM unnest($1::text[]) AS id ORDER BY key) AS ordered`,
    [deviceProfileIds],
  );
}
