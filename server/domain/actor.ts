/** Who acts on the management side. */

export interface Actor {
  readonly tenantId: string;
  /** Null for Aloft itself. */
  readonly userId: string | null;
  /** Narrows to this customer's devices; null: the whole tenant. */
  readonly customerId: string | null;
}

/** Whether a thing of a tenant, and perhaps of a customer, is the actor's to see. */
export function isWithin(
  actor: Actor,
  thing: { readonly tenantId: string; readonly customerId: string | null },
): boolean {
  return thing.tenantId === actor.tenantId && (actor.customerId === null || thing.customerId === actor.customerId);
}
