import {
  Alarm, JobState, type AlarmList, type BagList, type BenchmarkSet, type CellStatus, type CommandInfo, type ComponentCaptured,
  type DeliveryState, type Inventory, type JobInvalid, type MatchResult, type ReloadRequired, type Replay, type RobotState, type ScaleList, type ScaleReading, type Stamp,
  type WeighJobList,
} from '../generated/messages';
import { manualBookings, type ManualBooking } from './bookings';
import { milliseconds, ServerClock, SleepDetector, stampOf } from './clock';
import { Connection, type Link } from './connection';
import { Freshness, LIMIT_MS, type Source } from './freshness';
import { newId } from './ids';
import { isOpenReject } from './labels';
import type { LastValues } from './lastValues';
import type { Gripper } from './pieceQuestion';

/** A command that reaches its node later than this is refused, so that no arm moves for a click of long ago. */
export const VALID_FOR_S = 5;
/** Five updates a second are as many as an operator can follow. */
const THROTTLE_MS = 200;
const TICK_MS = 200;
/** Heartbeats of all nodes in a burst are not dropped. */
const HEARTBEAT_QUEUE = 30;
const CROP_TIMEOUT_MS = 6_000;
const SENSOR_TIMEOUT_MS = 3_000;
const MAX_CAPTURES = 60;
const MAX_TOASTS = 4;
const MAX_NOT_TAKEN = 20;
/** Age above which a latched event is not shown as a toast, ms. */
const NEWS_MS = 10_000;
const TOAST_MS = 5_000;
const ACTION_TOAST_MS = 30_000;
const LEDGER_ENTRIES = 60;

/** Answer of the gateway's `/session.json`. */
export interface Session {
  namespace: string;
  role: string;
  operator_id: string;
}

export interface Toast {
  id: number;
  kind: 'error' | 'done';
  title: string;
  text: string;
  /** Button of the notice, e.g. to undo; `stays`: until the notice is closed. */
  action?: { label: string; run: () => void; stays?: boolean };
}

/** View model of the cell: latest message of each topic, connection state, and toasts. */
export class Cell {
  link = $state.raw<Link>({ state: 'stopped', retryAt: 0, reason: '' });
  status = $state.raw<CellStatus | null>(null);
  job = $state.raw<JobState | null>(null);
  inventory = $state.raw<Inventory | null>(null);
  robot = $state.raw<RobotState | null>(null);
  alarms = $state.raw<AlarmList | null>(null);
  weighJobs = $state.raw<WeighJobList | null>(null);
  bags = $state.raw<BagList | null>(null);
  scales = $state.raw<ScaleList | null>(null);
  delivery = $state.raw<DeliveryState | null>(null);
  /** Set while a recording is replayed: nothing on the page is live. */
  replay = $state.raw<Replay | null>(null);
  captured = $state.raw<ComponentCaptured | null>(null);
  /** Latest prints of this session that made no bag, newest first. */
  notTaken = $state.raw<ScaleReading[]>([]);
  /** Latest benchmark; latched, so it may be from an earlier day. */
  benchmark = $state.raw<BenchmarkSet | null>(null);
  /** Latest readings of this session, newest first. */
  captures = $state.raw<ComponentCaptured[]>([]);
  /** Manual bookings that can be undone, newest first. */
  bookings = $state.raw<ManualBooking[]>([]);
  toasts = $state<Toast[]>([]);
  operator = $state('');
  /** Local monotonic time, ms, updated by `tick`. */
  now = $state(performance.now());
  #freshness = new Freshness();
  #toast = 0;
  #clock = new ServerClock();
  #sleep = new SleepDetector();
  readonly connection: Connection;
  readonly session: Session;

  constructor(session: Session, url: string, connection?: Connection) {
    this.session = session;
    this.operator = session.operator_id;
    this.connection = connection ?? new Connection({ url, onLink: (link) => this.#onLink(link) });
    this.#subscribe();
  }

  get connected(): boolean {
    return this.link.state === 'connected';
  }

  /** Time since the last cell status, ms; Infinity before the first. */
  get statusAgeMs(): number {
    return this.ageMs('status');
  }

  /** Whether the displayed data is current. Commands require it. */
  get live(): boolean {
    return this.connected && this.statusAgeMs < LIMIT_MS;
  }

  /** Age of a source by the page's own clock, ms; Infinity before its first sign of life. */
  ageMs(source: Source): number {
    return this.#freshness.age(source, this.now);
  }

  /** Whether the values of a source may be shown as current. */
  isCurrent(source: Source): boolean {
    return this.connected && this.ageMs(source) < LIMIT_MS;
  }

  /** Time since the last heartbeat of a node, ms; Infinity before its first. */
  nodeAgeMs(node: string): number {
    return this.#freshness.nodeAge(node, this.now);
  }

  /** Whether a node is alive, as far as this page knows. */
  isAlive(node: string): boolean {
    return this.connected && this.nodeAgeMs(node) < LIMIT_MS;
  }

  /** Time of the cell's clock, ms; null before the first status. */
  get cellMs(): number | null {
    return this.#clock.now(this.now);
  }

  /** The latest match result, from the job or from a capture outside a job. */
  get verdict(): MatchResult | null {
    const known = [this.job?.last_match, this.captured?.match].filter((match) => match && milliseconds(match.header.stamp) > 0) as MatchResult[];
    return known.reduce<MatchResult | null>((a, b) => (a && milliseconds(a.header.stamp) > milliseconds(b.header.stamp) ? a : b), null);
  }

  get jobActive(): boolean {
    const states: number[] = [JobState.RUNNING, JobState.PAUSED, JobState.WAITING_RELOAD];
    return this.job !== null && states.includes(this.job.state);
  }

  /** Alarms that the alarm list shows; rejected pieces have a list of their own. */
  get openAlarms(): Alarm[] {
    return (this.alarms?.alarms ?? []).filter((alarm) => alarm.state !== Alarm.SHELVED && !alarm.key.startsWith('part_rejected/'));
  }

  /** Rejected pieces that no operator has looked at. */
  get openRejects(): Alarm[] {
    return (this.alarms?.alarms ?? []).filter(isOpenReject);
  }

  /** Latest print of each scale that made no bag, until a later print of the scale made one. */
  get openNotTaken(): ScaleReading[] {
    const latest = new Map<string, ScaleReading>();
    for (const reading of [...this.notTaken].reverse()) latest.set(reading.scale_id, reading);
    const lastBag = (scale: string): number => Math.max(0, ...(this.bags?.bags ?? []).filter((bag) => bag.scale_id === scale).map((bag) => milliseconds(bag.weighed_at)));
    return [...latest.values()].filter((reading) => milliseconds(reading.received_at) > lastBag(reading.scale_id));
  }

  /** Message that explains why commands are disabled; "" when they are enabled. */
  get blocked(): string {
    if (!this.connected) return 'Not connected to the cell.';
    if (!this.live) return 'No status received from the cell.';
    return this.session.role === 'viewer' ? 'View only: this role cannot send commands.' : '';
  }

  /** Connect and start the clock of the page; return a function that ends both. */
  start(): () => void {
    this.connection.start();
    const timer = setInterval(() => this.tick(), TICK_MS);
    return () => {
      clearInterval(timer);
      this.connection.stop();
    };
  }

  /** Update `now`, on which every displayed age depends. After a sleep of the computer all values are old. */
  tick(): void {
    const now = performance.now();
    const asleep = this.#sleep.observe(Date.now(), now);
    if (asleep > 0) {
      this.#freshness.addAge(asleep);
      this.connection.restart('This computer was asleep.');
    }
    this.now = now;
  }

  /** Return the full name of a topic, service or action in the cell's namespace. */
  name(relative: string): string {
    return `${this.session.namespace.replace(/\/$/, '')}/${relative}`;
  }

  /** Return the command header: request id, operator, issue time by the cell's clock, and validity. */
  command(): CommandInfo {
    const now = this.#clock.now(performance.now());
    const issued_at: Stamp = now === null ? { sec: 0, nanosec: 0 } : stampOf(now);
    return { request_id: newId(), operator_id: this.operator, issued_at, valid_for: { sec: VALID_FOR_S, nanosec: 0 }, role: '', origin: '' };
  }

  /** Fetch the label region that decided a match: base64 JPEG, "" when the OCR node no longer has it. */
  async evidence(match: MatchResult): Promise<string> {
    if (!match.request_id || !match.polygon?.length) return '';
    const { request_id, polygon } = match;
    try {
      const answer = await this.connection.call(this.name('ocr/get_crop'), 'cell_interfaces/srv/GetCrop', { request_id, polygon }, CROP_TIMEOUT_MS);
      return answer.crop?.data ?? '';
    } catch {
      return '';
    }
  }

  /** Return what the gripper's sensor reports; "unknown" when the robot node does not respond. */
  async gripperSensor(): Promise<Gripper> {
    try {
      const answer = await this.connection.call(this.name('robot/preflight'), 'cell_interfaces/srv/RobotPreflight', {}, SENSOR_TIMEOUT_MS);
      const line = answer.checks?.find((check) => check.name === 'gripper sensor');
      if (line?.message === 'holds a piece' || line?.message === 'empty') return line.message;
      return 'no sensor';
    } catch {
      return 'unknown';
    }
  }

  /** Show a toast; it replaces one with the same title. Errors stay until they are dismissed. */
  notify(kind: Toast['kind'], title: string, text: string, action?: Toast['action']): void {
    const id = ++this.#toast;
    this.toasts = [...this.toasts.filter((toast) => toast.title !== title), { id, kind, title, text, ...(action ? { action } : {}) }].slice(-MAX_TOASTS);
    if (kind === 'done' && !action?.stays) setTimeout(() => this.dismiss(id), action ? ACTION_TOAST_MS : TOAST_MS);
  }

  dismissTitled(title: string): void {
    this.toasts = this.toasts.filter((toast) => toast.title !== title);
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  #onLink(link: Link): void {
    this.link = link;
    // The next connection may reach a machine with another clock.
    if (link.state === 'connecting') this.#clock.reset();
    this.tick();
  }

  #subscribe(): void {
    const on = this.connection.subscribe.bind(this.connection);
    on(this.name('heartbeat'), 'std_msgs/msg/String', 0, (node) => this.#onHeartbeat(node.data), HEARTBEAT_QUEUE);
    on(this.name('status'), 'cell_interfaces/msg/CellStatus', 0, (status) => this.#onStatus(status));
    on(this.name('job'), 'cell_interfaces/msg/JobState', THROTTLE_MS, (job) => (this.job = job));
    on(this.name('inventory'), 'cell_interfaces/msg/Inventory', THROTTLE_MS, (inventory) => this.#onInventory(inventory));
    on(this.name('replay'), 'cell_interfaces/msg/Replay', THROTTLE_MS, (replay) => (this.replay = replay));
    on(this.name('robot/state'), 'cell_interfaces/msg/RobotState', THROTTLE_MS, (robot) => this.#onRobot(robot));
    on(this.name('alarms'), 'cell_interfaces/msg/AlarmList', THROTTLE_MS, (alarms) => (this.alarms = alarms));
    on(this.name('benchmark_set'), 'cell_interfaces/msg/BenchmarkSet', 0, (benchmark) => this.#onBenchmark(benchmark));
    on(this.name('job_invalid'), 'cell_interfaces/msg/JobInvalid', 0, (refusal) => this.#onJobInvalid(refusal));
    on(this.name('reload_required'), 'cell_interfaces/msg/ReloadRequired', 0, (request) => this.#onReloadRequired(request));
    on(this.name('component_captured'), 'cell_interfaces/msg/ComponentCaptured', THROTTLE_MS, (captured) => this.#onCaptured(captured));
    on(this.name('weighing/job'), 'cell_interfaces/msg/WeighJobList', THROTTLE_MS, (jobs) => (this.weighJobs = jobs));
    on(this.name('weighing/bags'), 'cell_interfaces/msg/BagList', THROTTLE_MS, (bags) => (this.bags = bags));
    on(this.name('weighing/scales'), 'cell_interfaces/msg/ScaleList', THROTTLE_MS, (scales) => (this.scales = scales));
    on(this.name('weighing/delivery'), 'cell_interfaces/msg/DeliveryState', THROTTLE_MS, (delivery) => (this.delivery = delivery));
    on(this.name('weighing/not_taken'), 'cell_interfaces/msg/ScaleReading', 0, (reading) => (this.notTaken = [reading, ...this.notTaken].slice(0, MAX_NOT_TAKEN)));
  }

  /** Show the values that the gateway has kept, where this page has received none. They count as old as the heartbeat of their node. */
  restore(last: LastValues): void {
    const now = performance.now();
    for (const [node, age_s] of Object.entries(last.heartbeat_age_s)) this.#freshness.onHeartbeat(node, now - age_s * 1000);
    const kept = <T>(topic: string): T | null => (last.values[topic] as T | undefined) ?? null;
    this.status ??= kept<CellStatus>('status');
    this.job ??= kept<JobState>('job');
    this.inventory ??= kept<Inventory>('inventory');
    this.robot ??= kept<RobotState>('robot/state');
    this.alarms ??= kept<AlarmList>('alarms');
    this.weighJobs ??= kept<WeighJobList>('weighing/job');
    this.bags ??= kept<BagList>('weighing/bags');
    this.scales ??= kept<ScaleList>('weighing/scales');
    this.delivery ??= kept<DeliveryState>('weighing/delivery');
    this.now = now;
  }

  #onHeartbeat(node: string): void {
    const now = performance.now();
    const returned = !this.isAlive(node);
    this.#freshness.onHeartbeat(node, now);
    if (returned) this.now = now; // uncovers at once, without waiting for the next tick
  }

  #onBenchmark(benchmark: BenchmarkSet): void {
    this.benchmark = benchmark;
    const now = this.cellMs;
    if (now === null || now - milliseconds(benchmark.stamp) > NEWS_MS) return; // latched, and known already
    this.notify('done', 'Benchmark', `${benchmark.part_number}, version ${benchmark.version}: ${benchmark.texts.join(' · ')}`);
  }

  #onJobInvalid(refusal: JobInvalid): void {
    this.notify('error', 'Job refused', `${refusal.message} Ordered: ${refusal.requested}, in the trays: ${refusal.available}.`);
  }

  #onReloadRequired(request: ReloadRequired): void {
    const trays = [...atob(request.trays)].map((byte) => byte.charCodeAt(0)).join(', ');
    this.notify('error', 'Reload required', `${request.part_number}: ${request.missing} more needed. Fill tray ${trays} and confirm the reload.`);
  }

  #onCaptured(captured: ComponentCaptured): void {
    this.captured = captured;
    this.captures = [captured, ...this.captures].slice(0, MAX_CAPTURES);
  }

  #onInventory(inventory: Inventory): void {
    this.inventory = inventory;
    void this.refreshBookings();
  }

  /** Fetch the manual bookings that can still be undone. The last known ones stay when the ledger does not respond. */
  async refreshBookings(): Promise<void> {
    try {
      const answer = await this.connection.call(this.name('inventory/get'), 'cell_interfaces/srv/GetInventory', { part_number: '', max_events: LEDGER_ENTRIES }, CROP_TIMEOUT_MS);
      const now = this.cellMs ?? milliseconds(answer.inventory?.stamp ?? { sec: 0, nanosec: 0 });
      this.bookings = manualBookings(answer.events ?? [], now);
    } catch {
      // The stock panel shows that the inventory is not available.
    }
  }

  #onRobot(robot: RobotState): void {
    const before = this.robot;
    this.robot = robot;
    if (before && milliseconds(before.stamp) === milliseconds(robot.stamp)) return; // a repeated latched value
    const now = performance.now();
    this.#freshness.onRobot(now);
    this.now = now;
  }

  #onStatus(status: CellStatus): void {
    const before = this.status;
    this.status = status;
    if (before && milliseconds(before.stamp) === milliseconds(status.stamp)) return; // a repeated latched value does not prove that the cell is alive
    const now = performance.now();
    this.#clock.observe(status.stamp, now);
    this.#freshness.onStatus(status.subsystems, now);
    this.now = now;
  }
}
