import { escapeLike } from '../domain/fleet.ts';

/** A Prisma filter: the text occurs, in any case. Prisma hands it to ILIKE as it is, where %, _ and \ mean something. */
export function containing(text: string): { contains: string; mode: 'insensitive' } {
  return { contains: escapeLike(text), mode: 'insensitive' };
}
