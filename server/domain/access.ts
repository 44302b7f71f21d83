/**
 * Who may do what: a role, an act, and whose things it reaches. Pure, and the only such table. An act is a root field of the
 * management API; what it reaches is handed on as an Actor, and everything that reads or writes narrows by that.
 */
import type { Role } from '../../prisma/client/enums.ts';
import type { Actor } from './actor.ts';
import { ForbiddenError, UnauthenticatedError } from './errors.ts';

export type Reach =
  /** The act is not for this role. */
  | 'NONE'
  /** Oneself: one's own session, one's own keys. */
  | 'SELF'
  /** The devices of one's own customer, and what is assigned to them. Packages and profiles are the tenant's, and may be read. */
  | 'CUSTOMER'
  | 'TENANT';

/** Somebody who is signed in, or a program with a key of theirs. */
export interface Viewer {
  readonly userId: string;
  readonly tenantId: string;
  readonly customerId: string | null;
  readonly role: Role;
  /** By what they are known, and until when. */
  readonly credential: { readonly type: 'SESSION' | 'API_KEY'; readonly id: string; readonly expiresAt: Date | null };
}

type Rule = Readonly<Record<Role, Reach>>;

const ANYONE = 'ANYONE';
const SELF: Rule = { CUSTOMER_USER: 'SELF', TENANT_ADMIN: 'SELF' };
const ADMINISTRATORS: Rule = { CUSTOMER_USER: 'NONE', TENANT_ADMIN: 'TENANT' };
const BOTH: Rule = { CUSTOMER_USER: 'CUSTOMER', TENANT_ADMIN: 'TENANT' };

export const ACCESS = {
  login: ANYONE,
  logout: SELF,
  viewer: SELF,
  apiKeys: SELF,
  createApiKey: SELF,
  revokeApiKey: SELF,

  users: ADMINISTRATORS,
  createUser: ADMINISTRATORS,

  customers: BOTH,
  customer: BOTH,
  createCustomer: ADMINISTRATORS,

  deviceProfiles: BOTH,
  deviceProfile: BOTH,
  createDeviceProfile: ADMINISTRATORS,
  deleteDeviceProfile: ADMINISTRATORS,

  devices: BOTH,
  device: BOTH,
  createDevice: ADMINISTRATORS,
  updateDevice: ADMINISTRATORS,
  deleteDevice: ADMINISTRATORS,
  rotateAccessToken: ADMINISTRATORS,

  otaPackages: BOTH,
  otaPackage: BOTH,
  createOtaPackage: ADMINISTRATORS,
  updateOtaPackage: ADMINISTRATORS,
  deleteOtaPackage: ADMINISTRATORS,

  assignments: BOTH,
  assignment: BOTH,
  // A customer's user assigns to the customer's own devices; profiles are out of reach (see domain/assignment.ts).
  assignOtaPackage: BOTH,
  unassignOtaPackage: BOTH,

  fleetSummary: BOTH,
  fleetSummaryChanged: BOTH,
  updateEvents: BOTH,

  auditLog: ADMINISTRATORS,
} as const satisfies Readonly<Record<string, Rule | typeof ANYONE>>;

export type Act = keyof typeof ACCESS;

export function isAct(name: string): name is Act {
  return Object.hasOwn(ACCESS, name);
}

/** What the act reaches for the viewer; null where nobody needs to be signed in. */
export function reachOf(viewer: Viewer | null, act: Act): Reach | null {
  const rule: Rule | typeof ANYONE = ACCESS[act];
  if (rule === ANYONE) return null;
  return viewer === null ? 'NONE' : rule[viewer.role];
}

/**
 * The viewer as the one who does `act`.
 * @throws UnauthenticatedError, ForbiddenError
 */
export function permit(viewer: Viewer | null, act: Act): Actor & { readonly userId: string } {
  if (viewer === null) throw new UnauthenticatedError();
  const reach = reachOf(viewer, act);
  if (reach === 'NONE') throw new ForbiddenError();
  // A customer's user whose customer is gone reaches nothing, not everything.
  if (reach === 'CUSTOMER' && viewer.customerId === null) throw new ForbiddenError();
  return {
    tenantId: viewer.tenantId,
    userId: viewer.userId,
    customerId: reach === 'CUSTOMER' ? viewer.customerId : null,
  };
}
