/** Source of values on the page: a topic of the cell. */
export type Source = 'status' | 'job' | 'inventory' | 'robot' | 'alarms' | 'weighJobs' | 'bags' | 'scales' | 'delivery' | 'captured';

/** Age limit of a value, ms. The coordinator publishes its status twice a second, the robot node its state, too. */
export const LIMIT_MS: Record<Source, number> = {
  status: 1_800, job: 1_800, alarms: 1_800, robot: 2_000, inventory: 1_800, weighJobs: 1_800, bags: 1_800, scales: 1_800, delivery: 1_800, captured: 1_800,
};

/** Node that publishes a source only on changes; its entry in the cell status proves that the node is running. */
export const OWNER: Partial<Record<Source, string>> = {
  alarms: 'alarms', inventory: 'inventory', weighJobs: 'weigh_station', bags: 'weigh_station', delivery: 'weigh_station', scales: 'scale_bridge', captured: 'part_matcher',
};

/** Level STALE of a subsystem (diagnostic_msgs/DiagnosticStatus): its node no longer reports. */
const STALE_LEVEL = 3;

/**
 * Records when each source was last known to be alive, by the page's own clock.
 *
 * A source that is published on changes only may be old and still true. Its age is therefore the age of the status that
 * reports its node as running, not that of its last message. Time is an argument: local monotonic ms.
 */
export class Freshness {
  #statusAt = -Infinity;
  #robotAt = -Infinity;
  #ownerAt: Record<string, number> = {};

  /** Record a new cell status. */
  onStatus(subsystems: { name: string; level: number }[], localMs: number): void {
    this.#statusAt = localMs;
    for (const { name, level } of subsystems) if (level < STALE_LEVEL) this.#ownerAt[name] = localMs;
  }

  /** Record a new robot state. */
  onRobot(localMs: number): void {
    this.#robotAt = localMs;
  }

  /** Return the age of a source, ms; Infinity before its first sign of life. */
  age(source: Source, localMs: number): number {
    if (source === 'robot') return localMs - this.#robotAt;
    const owner = OWNER[source];
    return localMs - Math.min(this.#statusAt, owner ? (this.#ownerAt[owner] ?? -Infinity) : Infinity);
  }
}
