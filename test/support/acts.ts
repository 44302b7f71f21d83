/** One document for each act of the management API, aimed at given things. A new act does not type-check until it is here. */
import type { Act } from '../../server/domain/access.ts';
import { document } from './contract.ts';
import { CREATE_API_KEY } from './tenancy.ts';
import type { Things } from './tenancy.ts';

interface Aimed {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly document: string;
  readonly variables: (things: Things) => Record<string, unknown>;
}

let count = 0;

/** Nothing else has it. */
function fresh(): string {
  count += 1;
  return `made by a test ${count}`;
}

function query(text: string, variables: Aimed['variables'] = () => ({})): Aimed {
  return { kind: 'query', document: text, variables };
}

function mutation(text: string, variables: Aimed['variables'] = () => ({})): Aimed {
  return { kind: 'mutation', document: text, variables };
}

/** A mutation that has but one argument, and of whose answer only the type and a refusal matter. */
function byId(name: string): Aimed['document'] {
  return `mutation ($id: ID!) { ${name}(id: $id) { __typename ... on Error { code message } } }`;
}

function byInput(name: string, type: string): Aimed['document'] {
  return `mutation ($input: ${type}!) { ${name}(input: $input) { __typename ... on Error { code message } } }`;
}

export const ACTS: Readonly<Record<Act, Aimed>> = {
  login: mutation(document('Login'), () => ({ email: 'nobody@example.com', password: 'wrong password' })),
  logout: mutation('mutation { logout { __typename ... on Error { code message } } }'),
  viewer: query('{ viewer { id } }'),
  apiKeys: query('{ apiKeys { totalCount edges { node { id } } } }'),
  createApiKey: mutation(CREATE_API_KEY, () => ({ name: fresh() })),
  revokeApiKey: mutation(byId('revokeApiKey'), ({ apiKeyId }) => ({ id: apiKeyId })),

  users: query('{ users { totalCount edges { node { id } } } }'),
  createUser: mutation(document('CreateUser'), ({ customerId }) => ({
    email: `${fresh().replaceAll(' ', '')}@example.com`,
    password: 'long enough',
    role: 'CUSTOMER_USER',
    customerId,
  })),

  customers: query('{ customers { totalCount edges { node { id } } } }'),
  customer: query('query ($id: ID!) { customer(id: $id) { id } }', ({ customerId }) => ({ id: customerId })),
  createCustomer: mutation(document('CreateCustomer'), () => ({ title: fresh() })),

  deviceProfiles: query('{ deviceProfiles { totalCount edges { node { id } } } }'),
  deviceProfile: query('query ($id: ID!) { deviceProfile(id: $id) { id } }', (its) => ({ id: its.deviceProfileId })),
  createDeviceProfile: mutation(document('CreateDeviceProfile'), () => ({ name: fresh() })),
  deleteDeviceProfile: mutation(byId('deleteDeviceProfile'), ({ deviceProfileId }) => ({ id: deviceProfileId })),

  devices: query(document('Devices'), () => ({ type: 'FIRMWARE' })),
  device: query('query ($id: ID!) { device(id: $id) { id } }', ({ deviceId }) => ({ id: deviceId })),
  createDevice: mutation(document('CreateDevice'), ({ deviceProfileId, customerId }) => ({
    name: fresh(),
    deviceProfileId,
    customerId,
  })),
  updateDevice: mutation(byInput('updateDevice', 'UpdateDeviceInput'), ({ deviceId }) => ({
    input: { id: deviceId, name: fresh() },
  })),
  deleteDevice: mutation(byId('deleteDevice'), ({ deviceId }) => ({ id: deviceId })),
  rotateAccessToken: mutation(byId('rotateAccessToken'), ({ deviceId }) => ({ id: deviceId })),

  otaPackages: query(document('OtaPackages')),
  otaPackage: query('query ($id: ID!) { otaPackage(id: $id) { id } }', ({ packageId }) => ({ id: packageId })),
  createOtaPackage: mutation(document('CreateOtaPackage'), ({ deviceProfileId }) => ({
    input: { title: fresh(), version: '1', type: 'FIRMWARE', deviceProfileId, url: 'https://example.com/f.bin' },
  })),
  updateOtaPackage: mutation(byInput('updateOtaPackage', 'UpdateOtaPackageInput'), ({ packageId }) => ({
    input: { id: packageId, description: fresh() },
  })),
  deleteOtaPackage: mutation(document('DeleteOtaPackage'), ({ packageId }) => ({ id: packageId })),

  assignments: query(document('Assignments')),
  assignment: query('query ($id: ID!) { assignment(id: $id) { id } }', ({ assignmentId }) => ({ id: assignmentId })),
  assignOtaPackage: mutation(document('AssignOtaPackage'), ({ packageId, deviceId }) => ({ packageId, deviceId })),
  unassignOtaPackage: mutation(document('UnassignOtaPackage'), ({ deviceId }) => ({ type: 'FIRMWARE', deviceId })),

  fleetSummary: query(document('FleetSummary'), () => ({ type: 'FIRMWARE' })),
  fleetSummaryChanged: {
    kind: 'subscription',
    document: document('FleetSummaryChanged'),
    variables: () => ({ type: 'FIRMWARE' }),
  },
  updateEvents: { kind: 'subscription', document: document('UpdateEvents'), variables: () => ({}) },

  auditLog: query(document('AuditLog')),
};
