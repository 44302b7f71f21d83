/** Credentials that we make: shown once, kept as a hash. */
import { createHash, randomBytes } from 'node:crypto';

/** Longer than the 160 bits below which a plain hash of a token would not be enough. */
const TOKEN_BYTES = 24;

/** 192 random bits, safe in a URL path and as an MQTT user name. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** SHA-256: what has this many random bits needs no salt and no slowness. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
