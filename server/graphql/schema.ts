/** The whole schema: every noun's file adds its types and root fields to the builder. */
import { builder } from './builder.ts';
import { guard } from './guard.ts';
import './api-key.ts';
import './assignment.ts';
import './audit-entry.ts';
import './customer.ts';
import './device-acts.ts';
import './device.ts';
import './device-profile.ts';
import './fleet-summary.ts';
import './ota-package.ts';
import './session.ts';
import './tenant.ts';
import './update-events.ts';
import './update.ts';
import './upload.ts';
import './user.ts';

export const schema = guard(builder.toSchema());
