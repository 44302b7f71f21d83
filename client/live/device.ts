/** One device as a list shows it: what it runs, what it should run, and how far its latest update is. */
import type { ResultOf } from 'gql.tada';
import { graphql } from './graphql.ts';
import type { UpdateResult, UpdateState } from './graphql.ts';

export interface Version {
  readonly title: string | null;
  readonly version: string | null;
}

export interface Update {
  readonly id: string;
  /** Of two readings of one update, the higher is newer. */
  readonly revision: number;
  readonly state: UpdateState;
  readonly result: UpdateResult | null;
  /** The device's own words, or the server's. */
  readonly error: string | null;
  readonly queuedAt: string;
  readonly bytesServed: number;
  readonly bytesTotal: number | null;
  readonly stateSince: string | null;
  /** Where it had come to before it ended; null where that is not known. */
  readonly reached: UpdateState | null;
}

export interface Device {
  readonly id: string;
  readonly name: string;
  readonly profile: string;
  /** To within five minutes. */
  readonly lastSeenAt: string | null;
  readonly current: Version | null;
  readonly target: Version | null;
  readonly update: Update | null;
}

/** One event of the log: the device as it is now, its update as it was right after the event. */
export interface Change {
  readonly device: Device & { readonly update: Update };
  readonly isDeleted: boolean;
}

const DeviceFields = graphql(`
  fragment DeviceFields on Device {
    id
    name
    lastSeenAt
    deletedAt
    deviceProfile {
      name
    }
    current(type: $type) {
      title
      version
    }
    target(type: $type) {
      title
      version
    }
  }
`);

const UpdateFields = graphql(`
  fragment UpdateFields on Update {
    id
    revision
    state
    result
    error
    queuedAt
    bytesServed
    bytesTotal
  }
`);

export const DevicesQuery = graphql(
  `
    query Devices($first: Int!, $after: String, $type: PackageType!, $states: [UpdateState!], $search: String) {
      devices(first: $first, after: $after, filter: { search: $search, update: { type: $type, states: $states } }) {
        totalCount
        pageInfo {
          hasNextPage
          endCursor
        }
        edges {
          node {
            ...DeviceFields
            update(type: $type) {
              ...UpdateFields
              events {
                state
                receivedAt
              }
            }
          }
        }
      }
    }
  `,
  [DeviceFields, UpdateFields],
);

/** Bytes are no events, so whoever wants to see them go asks for them. */
export const BytesQuery = graphql(`
  query Bytes($first: Int!, $type: PackageType!, $search: String) {
    devices(first: $first, filter: { search: $search, update: { type: $type, states: [DOWNLOADING] } }) {
      edges {
        node {
          id
          update(type: $type) {
            id
            bytesServed
            bytesTotal
          }
        }
      }
    }
  }
`);

export const CountQuery = graphql(`
  query Count($type: PackageType!, $states: [UpdateState!], $search: String) {
    devices(first: 1, filter: { search: $search, update: { type: $type, states: $states } }) {
      totalCount
    }
  }
`);

export const UpdateEventsSubscription = graphql(
  `
    subscription UpdateEvents($after: String, $type: PackageType!) {
      updateEvents(after: $after, filter: { type: $type }) {
        cursor
        events {
          receivedAt
          device {
            ...DeviceFields
          }
          update {
            ...UpdateFields
          }
        }
      }
    }
  `,
  [DeviceFields, UpdateFields],
);

type Node = ResultOf<typeof DevicesQuery>['devices']['edges'][number]['node'];
type Event = ResultOf<typeof UpdateEventsSubscription>['updateEvents']['events'][number];

export function deviceOf(node: Node): Device {
  return { ...identityOf(node), update: node.update && { ...node.update, ...historyOf(node.update.events) } };
}

/** @returns null where the device is another customer's by now */
export function changeOf({ device, update, receivedAt }: Event): Change | null {
  if (device === null) return null;
  return {
    device: { ...identityOf(device), update: { ...update, stateSince: receivedAt, reached: null } },
    isDeleted: device.deletedAt !== null,
  };
}

function identityOf({ deviceProfile, ...device }: ResultOf<typeof DeviceFields>): Omit<Device, 'update'> {
  const { id, name, lastSeenAt, current, target } = device;
  return { id, name, profile: deviceProfile.name, lastSeenAt, current, target };
}

/** @param events in their order */
function historyOf(
  events: readonly { readonly state: UpdateState; readonly receivedAt: string }[],
): Pick<Update, 'stateSince' | 'reached'> {
  const state = events.at(-1)?.state;
  const before = events.findLastIndex((event) => event.state !== state);
  return { stateSince: events[before + 1]?.receivedAt ?? null, reached: events[before]?.state ?? null };
}

/** Whether `update` is later than what is known: of one update the higher revision, of two the one that was queued later. */
export function isNewer(update: Update, known: Update | null): boolean {
  if (known === null) return true;
  if (update.id === known.id) return update.revision > known.revision;
  // Ids are made in the order of time, so they decide between two of one millisecond.
  return update.queuedAt > known.queuedAt || (update.queuedAt === known.queuedAt && update.id > known.id);
}
