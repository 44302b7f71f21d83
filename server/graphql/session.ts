/** Signing in and out. */
import type { User as UserRow } from '../../prisma/client/client.ts';
import { permit } from '../domain/access.ts';
import { UnauthenticatedError } from '../domain/errors.ts';
import { accountOf, closeSession, openSession } from '../domain/session.ts';
import { builder } from './builder.ts';
import { defineMutation } from './mutation.ts';
import { User } from './user.ts';

interface SessionAnswer {
  readonly token: string;
  readonly expiresAt: Date;
  readonly viewer: UserRow;
}

const Session = builder.objectRef<SessionAnswer>('Session').implement({
  fields: (t) => ({
    token: t.exposeString('token', { description: 'To be sent as `Authorization: Bearer …`. Not to be had again.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime' }),
    viewer: t.expose('viewer', { type: User }),
  }),
});

const ClosedSession = builder.objectRef<{ id: string }>('ClosedSession').implement({
  fields: (t) => ({ id: t.exposeID('id') }),
});

const LoginInput = builder.inputType('LoginInput', {
  fields: (t) => ({ email: t.string({ required: true }), password: t.string({ required: true }) }),
});

builder.queryField('viewer', (t) =>
  t.prismaField({
    type: 'User',
    description: 'Who asks.',
    resolve: (query, _root, _args, { services, viewer }) =>
      services.prisma.user.findUniqueOrThrow({ ...query, where: { id: permit(viewer, 'viewer').userId } }),
  }),
);

defineMutation('login', {
  description: 'Opens a session. Wrong passwords are slowed per account and per address.',
  on: 'SESSION',
  type: Session,
  args: (arg) => ({ input: arg({ type: LoginInput, required: true }) }),
  act: async ({ args: { input }, context, now, commit, identify }) => {
    const { services, signInAttempts, address } = context;
    const account = await accountOf(services.query, input.email);
    if (account !== undefined) identify({ ...account, userId: account.id });
    signInAttempts.begin(input.email, address, now.getTime());
    // A longer one cannot be right, and is not worth the hashing.
    const password = input.password.slice(0, services.limits.passwordCharactersMax * 2 + 1);
    const isRight = await services.passwords.verify(account?.passwordHash ?? null, password);
    // One answer for both, so that it does not tell whether the account exists.
    if (account === undefined || !isRight)
      throw new UnauthenticatedError('The e-mail address or the password is wrong.');
    signInAttempts.succeed(input.email, address);
    return commit(async (query) => {
      const session = await openSession(query, account.id, services.limits.sessionLifetimeMs, now);
      return { ...session, userId: account.id, entityId: session.id };
    });
  },
  answer: async ({ token, expiresAt, userId }, { services }) => ({
    token,
    expiresAt,
    viewer: await services.prisma.user.findUniqueOrThrow({ where: { id: userId } }),
  }),
});

defineMutation('logout', {
  description: 'Closes the session by which one asks, and ends what lives by it.',
  on: 'SESSION',
  type: ClosedSession,
  args: () => ({}),
  act: ({ context: { viewer }, actor, commit }) =>
    commit(async (query) => {
      if (viewer?.credential.type !== 'SESSION') {
        throw new UnauthenticatedError('This is no session but an API key. Revoke the key instead.');
      }
      const { id } = viewer.credential;
      await closeSession(query, actor, id);
      return { entityId: id };
    }),
  answer: ({ entityId }) => ({ id: entityId }),
});
