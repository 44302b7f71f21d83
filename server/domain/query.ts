/** One statement on whatever holds the transaction: a `pg` client and a Prisma transaction alike. Rows come as plain objects. */
export type Query = <R>(text: string, values: readonly unknown[]) => Promise<R[]>;

/** Runs the work in a transaction (READ COMMITTED) that commits when it returns and is rolled back when it throws. */
export type Transaction = <R>(work: (query: Query) => Promise<R>) => Promise<R>;
