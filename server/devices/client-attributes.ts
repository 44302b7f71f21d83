/** The attributes that a device posts about itself: the last value of each, kept within a limit, and read back as they were sent. */
import { isLosslessNumber } from 'lossless-json';
import { TooLargeError, UnauthenticatedError, ValidationError } from '../domain/errors.ts';
import type { Query } from '../domain/query.ts';
import { isObject, readJson, writeJson } from './device-json.ts';
import type { Json, JsonObject } from './device-json.ts';

/** Every double, and what PostgreSQL's numeric can hold beside it: 16,383 digits after the point. */
const EXPONENT_DIGITS_MAX = 3;
const NUMBER_CHARACTERS_MAX = 400;

/**
 * Merges values into what is kept; a null says nothing.
 * @param bytesMax of all that is kept for the device, as JSON text
 * @throws TooLargeError where the sum would exceed it: nothing changes; UnauthenticatedError where the device is gone
 */
export async function keepClientAttributes(
  query: Query,
  deviceId: string,
  values: JsonObject,
  bytesMax: number,
): Promise<void> {
  const told = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
  if (Object.keys(told).length === 0) return;
  requireStorableNumbers(told);
  const [outcome] = await query<{ isLiving: boolean; isKept: boolean }>(MERGE, [deviceId, writeJson(told), bytesMax]);
  if (outcome?.isLiving !== true) throw new UnauthenticatedError('The device is gone.');
  if (!outcome.isKept) throw new TooLargeError(`A device's attributes may have at most ${bytesMax} bytes together.`);
}

/** @param keys all where undefined */
export async function readClientAttributes(
  query: Query,
  deviceId: string,
  keys: readonly string[] | undefined,
): Promise<JsonObject> {
  const [row] = await query<{ attributes: string | null }>(
    `SELECT jsonb_object_agg(key, value)::text AS attributes FROM device_client_attributes, jsonb_each(attributes)
     WHERE device_id = $1::uuid AND ($2::text[] IS NULL OR key = ANY($2))`,
    [deviceId, keys ?? null],
  );
  const json = row?.attributes == null ? {} : readJson(row.attributes);
  return isObject(json) ? json : {};
}

/** A number that the database could not hold is refused here, before it fails a statement there. */
function requireStorableNumbers(json: Json): void {
  if (isLosslessNumber(json)) {
    const text = json.toString();
    const exponent = /e[+-]?0*(\d+)$/i.exec(text)?.[1] ?? '';
    const isStorable =
      Number.isFinite(Number(text)) && text.length <= NUMBER_CHARACTERS_MAX && exponent.length <= EXPONENT_DIGITS_MAX;
    if (!isStorable) throw new ValidationError('A number is out of range.');
  } else if (typeof json === 'object' && json !== null) {
    for (const value of Object.values<Json>(json)) requireStorableNumbers(value);
  }
}

// The sum is measured where it is kept, and the row decides under its own lock: two messages at once cannot exceed it together.
const MERGE = `
  WITH living AS (SELECT id FROM device WHERE id = $1::uuid AND deleted_at IS NULL FOR KEY SHARE),
  kept AS (
    INSERT INTO device_client_attributes AS c (device_id, attributes)
    SELECT id, $2::jsonb FROM living WHERE octet_length($2::jsonb::text) <= $3::int
    ON CONFLICT (device_id) DO UPDATE SET attributes = c.attributes || excluded.attributes
    WHERE octet_length((c.attributes || excluded.attributes)::text) <= $3::int
    RETURNING device_id
  )
  SELECT EXISTS (SELECT 1 FROM living) AS "isLiving", EXISTS (SELECT 1 FROM kept) AS "isKept"`;
