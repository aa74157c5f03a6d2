/** Last values that the gateway keeps of each node, for a page that connects while a node is down. */
export interface LastValues {
  /** Relative topic name -> latest message. */
  values: Record<string, unknown>;
  /** Node name -> time since its last heartbeat, s. */
  heartbeat_age_s: Record<string, number>;
}

/** Fetch the last values from the gateway; null when it does not respond. */
export async function fetchLastValues(): Promise<LastValues | null> {
  try {
    const response = await fetch('./last_values.json', { cache: 'no-store' });
    return response.ok ? ((await response.json()) as LastValues) : null;
  } catch {
    return null;
  }
}
