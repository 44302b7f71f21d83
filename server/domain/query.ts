/** One statement on whatever holds the transaction: a `pg` client and a Prisma transaction alike. Rows come as plain objects. */
export type Query = <R>(text: string, values: readonly unknown[]) => Promise<R[]>;
