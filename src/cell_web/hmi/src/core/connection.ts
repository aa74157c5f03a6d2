import { Action, Ros, Service, Topic } from 'roslib';
import type { Actions, Messages, Services } from '../generated/messages';
import { backoff } from './backoff';
import { openSocket } from './transport';

/** `waiting`: disconnected, the next attempt is scheduled. `stopped`: no attempt will be made. */
export type LinkState = 'connecting' | 'connected' | 'waiting' | 'stopped';
/**
 * Cause of a failed command. `offline`: not sent. `lost` and `timeout`: sent, outcome unknown. `refused`: rejected by the gateway
 * or rosbridge.
 */
export type Failure = 'offline' | 'lost' | 'timeout' | 'refused';

/** A command that failed; the message tells the operator whether it may have been executed. */
export class CallError extends Error {
  constructor(readonly failure: Failure, message: string) {
    super(message);
  }
}

/** State of the connection, for display. */
export interface Link {
  state: LinkState;
  /** Time of the next connection attempt, local monotonic ms; 0 when none is scheduled. */
  retryAt: number;
  /** Message that explains why the last connection ended; "" before the first. */
  reason: string;
}

export interface ConnectionOptions {
  /** WebSocket of the gateway, e.g. `ws://cell:8080/rosbridge`. */
  url: string;
  /** Called after each change of the connection. */
  onLink: (link: Link) => void;
  /** Called for each received message. */
  onMessage?: () => void;
  random?: () => number;
  /** Idle timeout after which the connection is closed and reopened, ms. The gateway sends a sign of life each second. */
  idleTimeoutMs?: number;
  /** Connect timeout, ms. */
  connectTimeoutMs?: number;
  retryBaseMs?: number;
}

interface Subscription {
  name: string;
  type: string;
  throttleMs: number;
  queueLength: number;
  handle: (message: never) => void;
}

interface Pending {
  fail: (failure: Failure, message: string) => void;
}

/**
 * Connection to rosbridge with automatic reconnection. Commands are never queued.
 *
 * roslib queues messages while disconnected and sends them on reconnection; it never fails calls whose connection was lost.
 * Therefore each connection uses a new Ros object, nothing is sent unless connected, and pending calls fail on disconnect.
 */
export class Connection {
  #options: Required<ConnectionOptions>;
  #ros: Ros | null = null;
  #link: Link = { state: 'stopped', retryAt: 0, reason: '' };
  #subscriptions: Subscription[] = [];
  #pending = new Set<Pending>();
  #attempt = 0;
  #connectTimer: ReturnType<typeof setTimeout> | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  /** Time of the last data of this connection, local monotonic ms. */
  #dataAt = Infinity;

  constructor(options: ConnectionOptions) {
    this.#options = { onMessage: () => undefined, random: Math.random, idleTimeoutMs: 3_500, connectTimeoutMs: 5_000, retryBaseMs: 250, ...options };
  }

  get connected(): boolean {
    return this.#link.state === 'connected';
  }

  start(): void {
    if (this.#link.state === 'stopped') this.#connect();
  }

  stop(): void {
    this.#disconnect('stopped', '');
  }

  /** Replace the connection: the computer was asleep, so the other end may have closed it without this page's knowledge. */
  restart(reason: string): void {
    if (this.#link.state === 'stopped') return;
    this.#disconnect('waiting', reason);
    this.reconnectNow();
  }

  /** Reconnect without waiting for the back-off, e.g. on the browser's "online" event. */
  reconnectNow(): void {
    if (this.#link.state !== 'waiting') return;
    clearTimeout(this.#connectTimer);
    this.#connect();
  }

  /**
   * Subscribe to a topic on this and every later connection.
   *
   * @param throttleMs Minimum time between two messages; rosbridge sends the newest one after it. 0 = every message.
   * @param queueLength Messages that rosbridge keeps for a slow page; it drops older ones.
   */
  subscribe<T extends keyof Messages>(name: string, type: T, throttleMs: number, handle: (message: Messages[T]) => void, queueLength = 1): void {
    const subscription: Subscription = { name, type, throttleMs, queueLength, handle: handle as (message: never) => void };
    this.#subscriptions.push(subscription);
    if (this.#ros && this.connected) this.#subscribeOn(this.#ros, subscription);
  }

  /**
   * Call a service.
   *
   * @throws CallError when it was not sent, was rejected, or got no response within `deadlineMs`.
   */
  call<T extends keyof Services>(name: string, type: T, request: Services[T]['request'], deadlineMs: number): Promise<Services[T]['response']> {
    return this.#request(deadlineMs, (ros, done, refused) => {
      const service = new Service<Services[T]['request'], Services[T]['response']>({ ros, name, serviceType: type });
      service.callService(request, done, refused, deadlineMs / 1000);
    });
  }

  /**
   * Send an action goal and wait for its result; `deadlineMs` 0 = no timeout.
   *
   * @throws CallError when it was not sent, was rejected, timed out, or the connection was lost.
   */
  goal<T extends keyof Actions>(name: string, type: T, goal: Actions[T]['goal'], deadlineMs = 0,
    onFeedback: (feedback: Actions[T]['feedback']) => void = () => undefined): Promise<Actions[T]['result']> {
    return this.#request(deadlineMs, (ros, done, refused) => {
      const action = new Action<Actions[T]['goal'], Actions[T]['feedback'], Actions[T]['result']>({ ros, name, actionType: type });
      // roslib reports the result of an aborted or canceled goal as the text of an error.
      const ended = (error: unknown): void => {
        const result = resultIn(String(error));
        if (result === null) refused(error);
        else done(result as Actions[T]['result']);
      };
      action.sendGoal(goal, done, onFeedback, ended);
    });
  }

  #request<R>(deadlineMs: number, send: (ros: Ros, done: (value: R) => void, refused: (error: unknown) => void) => void): Promise<R> {
    const ros = this.#ros;
    if (!ros?.isConnected || !this.connected) {
      return Promise.reject(new CallError('offline', 'Not connected: the command was not sent. Repeat it after reconnecting.'));
    }
    return new Promise<R>((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const settle = (): void => {
        clearTimeout(timer);
        this.#pending.delete(pending);
      };
      const pending: Pending = {
        fail: (failure, message) => {
          settle();
          reject(new CallError(failure, message));
        },
      };
      if (deadlineMs > 0) {
        const text = `No response within ${deadlineMs / 1000} s. The command may have been executed: check the cell before you repeat it.`;
        timer = setTimeout(() => pending.fail('timeout', text), deadlineMs);
      }
      this.#pending.add(pending);
      const done = (value: R): void => {
        settle();
        resolve(value);
      };
      send(ros, done, (error) => pending.fail('refused', String(error) || 'Rejected without a reason.'));
    });
  }

  #connect(): void {
    const ros: Ros = new Ros({ transportFactory: (url) => openSocket(url, () => {
      if (ros === this.#ros) this.#onData();
    }) });
    this.#ros = ros;
    ros.on('connection', () => this.#onOpen(ros));
    ros.on('close', (event: unknown) => this.#onClose(ros, closeReason(event)));
    this.#setLink({ state: 'connecting', retryAt: 0, reason: this.#link.reason });
    this.#connectTimer = setTimeout(() => this.#onClose(ros, 'Connection to the gateway timed out.'), this.#options.connectTimeoutMs);
    ros.connect(this.#options.url).catch((error: unknown) => this.#onClose(ros, String(error)));
  }

  #onOpen(ros: Ros): void {
    if (ros !== this.#ros) return; // an event of an earlier connection
    clearTimeout(this.#connectTimer);
    this.#attempt = 0;
    this.#dataAt = performance.now();
    this.#setLink({ state: 'connected', retryAt: 0, reason: '' });
    this.#onData();
    for (const subscription of this.#subscriptions) this.#subscribeOn(ros, subscription);
  }

  #subscribeOn(ros: Ros, subscription: Subscription): void {
    const topic = new Topic({
      ros, name: subscription.name, messageType: subscription.type, throttle_rate: subscription.throttleMs,
      queue_length: subscription.queueLength, reconnect_on_close: false,
    });
    topic.subscribe((message: unknown) => {
      if (ros === this.#ros) subscription.handle(message as never);
    });
  }

  #onData(): void {
    const now = performance.now();
    // A browser freezes a hidden page and may deliver what has arrived meanwhile before its timers: such data is old.
    if (this.#ros && now - this.#dataAt > this.#options.idleTimeoutMs) return this.#onClose(this.#ros, 'This page was not running.');
    this.#dataAt = now;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (this.#ros) this.#onClose(this.#ros, 'Idle timeout: no data received from the cell.');
    }, this.#options.idleTimeoutMs);
    this.#options.onMessage();
  }

  #onClose(ros: Ros, reason: string): void {
    if (ros !== this.#ros) return;
    this.#disconnect('waiting', reason);
  }

  #disconnect(state: 'waiting' | 'stopped', reason: string): void {
    const ros = this.#ros;
    this.#ros = null;
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#idleTimer);
    // Before close, which would emit `close` once more.
    ros?.removeAllListeners();
    ros?.close();
    let retryAt = 0;
    if (state === 'waiting') {
      const wait = backoff(this.#attempt++, this.#options.random, this.#options.retryBaseMs);
      retryAt = performance.now() + wait;
      this.#connectTimer = setTimeout(() => this.#connect(), wait);
    }
    this.#setLink({ state, retryAt, reason });
    const lost = 'Connection lost before the response arrived. The command may have been executed: check the cell before you repeat it.';
    // After the new state is known: a failed command may look at it. A copy, since each failure removes its entry.
    for (const pending of [...this.#pending]) pending.fail('lost', lost);
  }

  #setLink(link: Link): void {
    this.#link = link;
    this.#options.onLink(link);
  }
}

/** Extract the action result from the text of roslib's GoalError; null when it has none. */
function resultIn(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text.slice(text.indexOf('{')));
    return typeof value === 'object' && value !== null && 'code' in value ? value : null;
  } catch {
    return null;
  }
}

/** Return the message for a WebSocket close event. */
function closeReason(event: unknown): string {
  const { reason = '', code = 0 } = (event ?? {}) as Partial<CloseEvent>;
  return reason || (code === 1006 ? 'Gateway not reachable.' : `Connection closed (code ${code}).`);
}
