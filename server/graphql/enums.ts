/** The words of the model. */
import * as enums from '../../prisma/client/enums.ts';
import { builder } from './builder.ts';

export const Role = builder.enumType('Role', { values: Object.values(enums.Role) });
export const PackageType = builder.enumType('PackageType', { values: Object.values(enums.PackageType) });
export const ChecksumAlgorithm = builder.enumType('ChecksumAlgorithm', {
  values: Object.values(enums.ChecksumAlgorithm),
});
export const UpdateState = builder.enumType('UpdateState', {
  description: 'NONE is the state of a device without an update.',
  values: Object.values(enums.UpdateState),
});
export const UpdateResult = builder.enumType('UpdateResult', {
  description: 'Why an update ended, apart from its state.',
  values: Object.values(enums.UpdateResult),
});
export const EntityType = builder.enumType('EntityType', { values: Object.values(enums.EntityType) });
export const AuditOutcome = builder.enumType('AuditOutcome', { values: Object.values(enums.AuditOutcome) });
