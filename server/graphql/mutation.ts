/**
 * The one way to define a mutation. It asks the table of rights, gives the act a transaction, and writes the audit entry in it; a
 * refused act gets its entry too, in a transaction of its own. Refusals are answered as data.
 */
import type { InputFieldMap, InputShapeFromFields, ObjectRef, SchemaTypes } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import type { EntityType } from '../../prisma/client/enums.ts';
import { ACCESS, permit } from '../domain/access.ts';
import type { Act } from '../domain/access.ts';
import type { Actor } from '../domain/actor.ts';
import { holdActor, writeAuditEntry } from '../domain/audit.ts';
import { Refusal } from '../domain/errors.ts';
import type { Query } from '../domain/query.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { errorTypes, isRefused } from './errors.ts';
import { NIL_UUID } from './guard.ts';

type Builder = typeof builder;
type Types = Builder extends PothosSchemaTypes.SchemaBuilder<infer T extends SchemaTypes> ? T : never;
type MutationFieldBuilder = Parameters<Parameters<Builder['mutationField']>[1]>[0];

/** What an entry tells of the thing that was acted on. */
export interface Deed {
  readonly entityId: string;
  readonly entityName?: string | null;
  readonly before?: object;
  readonly after?: object;
}

/** What an act is given. */
export interface Performance<Args> {
  readonly args: Args;
  readonly context: Context;
  readonly actor: Actor;
  readonly now: Date;
  /** Does the writing and records what it tells, in one transaction. An act calls it once, and does nothing after it. */
  commit<D extends Deed>(work: (query: Query) => Promise<D>): Promise<D>;
  /** Says who acts, where that comes out in the act itself. */
  identify(actor: Actor): void;
}

interface MutationOptions<Args extends InputFieldMap, Shape, D> {
  readonly description: string;
  /** What it is about. */
  readonly on: EntityType;
  readonly type: ObjectRef<Types, Shape>;
  readonly args: (t: MutationFieldBuilder['arg']) => Args;
  /** What a refused act was about, as far as its words tell. */
  readonly about?: (args: InputShapeFromFields<Args>) => {
    entityId?: string | null | undefined;
    entityName?: string | null | undefined;
  };
  readonly act: (performance: Performance<InputShapeFromFields<Args>>) => Promise<D>;
  /** Reads the answer once the act is committed. */
  readonly answer: (deed: D, context: Context, info: GraphQLResolveInfo) => Shape | Promise<Shape>;
}

export function defineMutation<Args extends InputFieldMap, Shape, D>(
  name: Act,
  options: MutationOptions<Args, Shape, D>,
): void {
  const Result = builder.unionType(`${name[0]?.toUpperCase()}${name.slice(1)}Result`, {
    types: [options.type, ...errorTypes],
    resolveType: (value) => (isRefused(value) ? value.refusal.name : options.type.name),
  });
  builder.mutationField(name, (t) =>
    t.field({
      type: Result,
      description: options.description,
      args: options.args(t.arg),
      // The union is of the shape that `answer` gives and of refusals; Pothos cannot see that through a generic type.
      resolve: (async (
        _root: unknown,
        args: InputShapeFromFields<Args>,
        context: Context,
        info: GraphQLResolveInfo,
      ) => {
        try {
          return await options.answer(await perform(name, options, args, context), context, info);
        } catch (error) {
          if (error instanceof Refusal) return { refusal: error };
          throw error;
        }
      }) as never,
    }),
  );
}

async function perform<Args extends InputFieldMap, Shape, D>(
  name: Act,
  options: MutationOptions<Args, Shape, D>,
  args: InputShapeFromFields<Args>,
  context: Context,
): Promise<D> {
  const { services, viewer } = context;
  const now = new Date(services.clock.now());
  // Whom the entry names. Nobody is signed in yet at sign-in; the act itself finds out.
  let who = viewer === null ? null : { tenantId: viewer.tenantId, userId: viewer.userId };
  const entry = (actor: { tenantId: string; userId: string | null }) => ({
    tenantId: actor.tenantId,
    actorId: actor.userId,
    action: name,
    entityType: options.on,
  });
  try {
    const actor = ACCESS[name] === 'ANYONE' ? NOBODY : permit(viewer, name);
    return await options.act({
      args,
      context,
      actor,
      now,
      identify: ({ tenantId, userId }) => (who = userId === null ? null : { tenantId, userId }),
      commit: (work) =>
        services.transaction(async (query) => {
          if (who !== null) await holdActor(query, who.userId);
          const deed = await work(query);
          if (who === null) throw new Error(`${name} was committed and nobody did it`);
          const { entityId, entityName = null, before = null, after = null } = deed;
          await writeAuditEntry(
            query,
            { ...entry(who), entityId, entityName, outcome: 'SUCCEEDED', errorCode: null, before, after },
            now,
          );
          return deed;
        }),
    });
  } catch (error) {
    if (error instanceof Error && error.cause !== undefined) {
      services.logger.warn({ err: error.cause, action: name }, error.message);
    }
    await recordRefusal(error);
    throw error;
  }

  async function recordRefusal(error: unknown): Promise<void> {
    // An attempt by nobody known belongs to no tenant's log.
    if (who === null) return;
    const actor = who;
    const { entityId: named = null, entityName = null } = options.about?.(args) ?? {};
    const entityId = named === NIL_UUID ? null : named;
    const code = error instanceof Refusal ? error.code : null;
    const outcome = code === null ? 'FAILED' : 'REFUSED';
    try {
      await services.transaction((query) =>
        writeAuditEntry(
          query,
          { ...entry(actor), entityId, entityName, outcome, errorCode: code, before: null, after: null },
          now,
        ),
      );
    } catch (failure) {
      // The refusal stands and is answered; that its entry is missing must at least be in the log.
      services.logger.error(
        { err: failure, action: name, actor, outcome, code },
        'an audit entry could not be written',
      );
    }
  }
}

/** Reaches no tenant. */
const NOBODY: Actor = { tenantId: NIL_UUID, userId: null, customerId: null };
