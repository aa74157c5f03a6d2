/** Source of values on the page: a topic of the cell. */
export type Source = 'status' | 'job' | 'inventory' | 'robot' | 'alarms' | 'weighJobs' | 'bags' | 'scales' | 'delivery' | 'captured' | 'notTaken';

/** Age limit of a value, ms. Every node publishes a heartbeat each 0.3 s; with one tick of the page, a value is covered within 2 s. */
export const LIMIT_MS = 1_400;

/** Nodes whose heartbeats prove that a source is current. A verdict is made by three nodes. */
export const OWNERS: Record<Source, string[]> = {
  status: ['coordinator'], job: ['coordinator'], robot: ['robot'], alarms: ['alarms'], inventory: ['inventory'],
  weighJobs: ['weigh_station'], bags: ['weigh_station'], delivery: ['weigh_station'],
  scales: ['scale_bridge'], notTaken: ['scale_bridge'], captured: ['coordinator', 'part_matcher', 'ocr'],
};

/** Level STALE of a subsystem (diagnostic_msgs/DiagnosticStatus): its node no longer reports. */
const STALE_LEVEL = 3;

/**
 * Records when each node was last known to be alive, by the page's own clock.
 *
 * A source that is published on changes only may be old and still true. Its age is therefore the time since the last
 * heartbeat of the nodes that make it, not that of its last message. Time is an argument: local monotonic ms.
 */
export class Freshness {
  #heartbeatAt = new Map<string, number>();
  #reportedAt = new Map<string, number>();

  /** Record a heartbeat of a node; an older one than known is ignored. */
  onHeartbeat(node: string, localMs: number): void {
    if (localMs > (this.#heartbeatAt.get(node) ?? -Infinity)) this.#heartbeatAt.set(node, localMs);
  }

  /** Record the health of the nodes in a new cell status. It counts only for a node whose heartbeat was never received. */
  onStatus(subsystems: { name: string; level: number }[], localMs: number): void {
    this.#reportedAt.set('coordinator', localMs);
    for (const { name, level } of subsystems) if (level < STALE_LEVEL && name !== 'robot') this.#reportedAt.set(name, localMs);
  }

  /** Record a new robot state. It counts only while no heartbeat of the robot node was received. */
  onRobot(localMs: number): void {
    this.#reportedAt.set('robot', localMs);
  }

  /** Make every record older: the computer was asleep for `ms`, and its monotonic clock stood still. */
  addAge(ms: number): void {
    for (const times of [this.#heartbeatAt, this.#reportedAt]) for (const [node, atMs] of times) times.set(node, atMs - ms);
  }

  /** Return the time since the last sign of life of a node, ms; Infinity before the first. */
  nodeAge(node: string, localMs: number): number {
    return localMs - (this.#heartbeatAt.get(node) ?? this.#reportedAt.get(node) ?? -Infinity);
  }

  /** Return the age of a source, ms: that of the oldest of its nodes. */
  age(source: Source, localMs: number): number {
    return Math.max(...OWNERS[source].map((node) => this.nodeAge(node, localMs)));
  }
}
