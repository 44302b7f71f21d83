/** A tenant with one of everything, made through the API by its administrator. */
import { v7 as uuid } from 'uuid';
import type { Role } from '../../prisma/client/enums.ts';
import { createUser } from '../../server/domain/user.ts';
import { ArgonPasswords } from '../../server/adapters/password.ts';
import { LIMITS } from '../../server/config.ts';
import { document } from './contract.ts';
import type { GraphqlClient } from './graphql.ts';
import type { ManagementServer } from './management-server.ts';

const PASSWORD = 'a password of a test';

/** The ids of one thing of each kind. */
export interface Things {
  readonly customerId: string;
  readonly deviceProfileId: string;
  readonly deviceId: string;
  readonly packageId: string;
  readonly assignmentId: string;
  readonly apiKeyId: string;
}

export interface Tenancy extends Things {
  readonly tenantId: string;
  readonly admin: GraphqlClient;
  /** Of the customer to whom the device belongs. */
  readonly customerUser: GraphqlClient;
}

export async function tenancy(server: ManagementServer, name: string): Promise<Tenancy> {
  const tenantId = uuid();
  await server.query('INSERT INTO tenant (id, name) VALUES ($1::uuid, $2)', [tenantId, name]);
  const admin = await signIn(server, tenantId, `admin@${name}.example`, 'TENANT_ADMIN', null);
  return { tenantId, admin, ...(await fill(server, admin, tenantId, name)) };
}

/** Another customer of the same tenant, with a device in the same profile. */
export async function neighbour(
  server: ManagementServer,
  { tenantId, admin, deviceProfileId, packageId }: Tenancy,
  name: string,
): Promise<Things & { customerUser: GraphqlClient }> {
  const { id: customerId } = await admin.act(document('CreateCustomer'), { title: name });
  const { id: deviceId } = await admin.act(document('CreateDevice'), {
    name: `${name}-device`,
    deviceProfileId,
    customerId,
  });
  const { id: assignmentId } = await admin.act(document('AssignOtaPackage'), { packageId, deviceId });
  const customerUser = await signIn(server, tenantId, `user@${name}.example`, 'CUSTOMER_USER', customerId);
  const { id: apiKeyId } = await customerUser.act(CREATE_API_KEY, { name });
  return { customerId, deviceProfileId, deviceId, packageId, assignmentId, apiKeyId, customerUser };
}

async function fill(server: ManagementServer, admin: GraphqlClient, tenantId: string, name: string) {
  const { id: customerId } = await admin.act(document('CreateCustomer'), { title: `${name} customer` });
  const { id: deviceProfileId } = await admin.act(document('CreateDeviceProfile'), { name: `${name} profile` });
  const { id: deviceId } = await admin.act(document('CreateDevice'), {
    name: `${name}-device`,
    deviceProfileId,
    customerId,
  });
  const { id: packageId } = await admin.act(document('CreateOtaPackage'), {
    input: { title: name, version: '1', type: 'FIRMWARE', deviceProfileId, url: 'https://example.com/1.bin' },
  });
  const { id: assignmentId } = await admin.act(document('AssignOtaPackage'), { packageId, deviceId });
  const { id: apiKeyId } = await admin.act(CREATE_API_KEY, { name });
  const customerUser = await signIn(server, tenantId, `user@${name}.example`, 'CUSTOMER_USER', customerId);
  return { customerId, deviceProfileId, deviceId, packageId, assignmentId, apiKeyId, customerUser };
}

async function signIn(
  server: ManagementServer,
  tenantId: string,
  email: string,
  role: Role,
  customerId: string | null,
): Promise<GraphqlClient> {
  const passwordHash = await new ArgonPasswords(LIMITS).hash(PASSWORD);
  const actor = { tenantId, userId: null, customerId: null };
  await server.transact((query) => createUser(query, actor, { email, role, customerId }, passwordHash, new Date()));
  return server.nobody.login(email, PASSWORD);
}

export const CREATE_API_KEY = `mutation CreateApiKey($name: String!, $expiresAt: DateTime) {
  createApiKey(input: { name: $name, expiresAt: $expiresAt }) {
    __typename
    ... on IssuedApiKey { id name token expiresAt }
    ... on Error { code message }
  }
}`;
