/** A profile with devices that can be set in motion, made through the management API. */
import { randomBytes } from 'node:crypto';
import { Fleet } from '../fleet/fleet.ts';
import { HttpTransport } from '../fleet/http-transport.ts';
import { document } from '../support/contract.ts';
import { GraphqlClient } from '../support/graphql.ts';
import { ADMIN } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

export interface GarageDevice {
  readonly id: string;
  readonly name: string;
  readonly accessToken: string;
}

export class Garage {
  readonly admin: GraphqlClient;
  readonly devices: GarageDevice[] = [];
  readonly #server: TestServer;
  readonly #profileId: string;

  static async open(server: TestServer, names: readonly string[]): Promise<Garage> {
    const admin = await new GraphqlClient(server.url).login(ADMIN.email, ADMIN.password);
    const { id } = await admin.act(document('CreateDeviceProfile'), { name: 'boiler' });
    const garage = new Garage(server, admin, id as string);
    for (const name of names) await garage.add(name);
    return garage;
  }

  private constructor(server: TestServer, admin: GraphqlClient, profileId: string) {
    this.#server = server;
    this.admin = admin;
    this.#profileId = profileId;
  }

  async add(name: string): Promise<GarageDevice> {
    const { id, accessToken } = await this.admin.act(document('CreateDevice'), {
      name,
      deviceProfileId: this.#profileId,
    });
    const device = { id: id as string, name, accessToken: accessToken as string };
    this.devices.push(device);
    return device;
  }

  async remove({ id }: GarageDevice): Promise<void> {
    await this.admin.act('mutation ($id: ID!) { deleteDevice(id: $id) { __typename } }', { id });
  }

  /** Uploads a package and assigns it to the profile. */
  async assign(version: string, bytes = 60_000): Promise<void> {
    const input = { title: 'boiler', version, type: 'FIRMWARE', deviceProfileId: this.#profileId };
    const file = { name: `${version}.bin`, bytes: new Uint8Array(randomBytes(bytes)) };
    const { id } = await this.admin.uploaded(document('CreateOtaPackage'), { input }, file);
    await this.admin.act(document('AssignOtaPackage'), { packageId: id, deviceProfileId: this.#profileId });
  }

  /** Switches every device on; each ends when its update has. */
  start(its: { readonly fail?: number; readonly speed?: number; readonly chunkBytes?: number } = {}): Fleet {
    return new Fleet({
      credentials: this.devices,
      transportFor: ({ accessToken }) => new HttpTransport(new URL(this.#server.url), accessToken),
      behaviour: { seed: 1, fail: 0, speed: 10, chunkBytes: 4_096, ...its, types: ['FIRMWARE'] },
      startsPerSecond: 1_000,
      stays: false,
    });
  }

  /** What the database holds of each device, as a row of the page would say it. */
  async truth(): Promise<{ name: string; current: string; target: string; state: string; said: string }[]> {
    return this.#server.query(
      `SELECT s.name, coalesce(s.current_version, '') AS current, coalesce(p.version, '') AS target,
         initcap(s.state::text) AS state, coalesce(u.error, '') AS said
       FROM slot s LEFT JOIN update u ON u.id = s.update_id LEFT JOIN ota_package p ON p.id = s.target_package_id
       WHERE s.type = 'FIRMWARE' ORDER BY s.name`,
      [],
    );
  }
}
