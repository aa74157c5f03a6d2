import { Action, Ros, Service, Topic } from 'roslib';
import type { Actions, Messages, Services } from '../generated/messages';
import { backoff } from './backoff';
import { openSocket } from './transport';

export type LinkState = 'connecting' | 'connected' | 'waiting' | 'stopped';
/**
 * Why a command brought no answer. `offline`: it never left the page. `lost` and `late`: it left, and what became of it is
 * not known. `refused`: the gateway or rosbridge did not pass it on.
 */
export type Failure = 'offline' | 'lost' | 'late' | 'refused';

export class CallError extends Error {
  constructor(readonly failure: Failure, message: string) {
    super(message);
  }
}

export interface Link {
  state: LinkState;
  /** When the next attempt begins, local monotonic ms; 0 when none is planned. */
  retryAt: number;
  /** Why the last connection ended, for people; "" when none did. */
  reason: string;
}

export interface ConnectionOptions {
  url: string;
  onLink: (link: Link) => void;
  /** Called for each message, so that silence can be seen. */
  onMessage?: () => void;
  random?: () => number;
  /** Silence after which the connection is given up and made anew, ms. */
  silenceMs?: number;
  /** How long a connection may take to open, ms. */
  dialMs?: number;
  retryBaseMs?: number;
}

interface Wanted {
  name: string;
  type: string;
  throttleMs: number;
  handle: (message: never) => void;
}

interface Pending {
  fail: (failure: Failure, message: string) => void;
}

/**
 * The page's connection to rosbridge: dials again by itself, and never keeps a command for later.
 *
 * roslib queues what is sent while disconnected and sends it on reconnection, and tells nobody about calls that were under way
 * when the connection was lost. So every connection gets a Ros of its own that is thrown away when it ends, nothing is given
 * to it unless it is connected, and calls under way end here with an error.
 */
export class Connection {
  #options: Required<ConnectionOptions>;
  #ros: Ros | null = null;
  #link: Link = { state: 'stopped', retryAt: 0, reason: '' };
  #wanted: Wanted[] = [];
  #pending = new Set<Pending>();
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = { onMessage: () => undefined, random: Math.random, silenceMs: 15_000, dialMs: 5_000, retryBaseMs: 500, ...options };
  }

  get connected(): boolean {
    return this.#link.state === 'connected';
  }

  start(): void {
    if (this.#link.state === 'stopped') this.#dial();
  }

  stop(): void {
    this.#end('stopped', '');
  }

  /** Dial now instead of waiting, e.g. when the browser says that the network is back. */
  hurry(): void {
    if (this.#link.state !== 'waiting') return;
    clearTimeout(this.#timer);
    this.#dial();
  }

  /** Get a topic's messages on this and every later connection. */
  subscribe<T extends keyof Messages>(name: string, type: T, throttleMs: number, handle: (message: Messages[T]) => void): void {
    const wanted: Wanted = { name, type, throttleMs, handle: handle as (message: never) => void };
    this.#wanted.push(wanted);
    if (this.#ros && this.connected) this.#attach(this.#ros, wanted);
  }

  /**
   * Call a service now.
   *
   * @throws CallError it could not be sent, was refused, or brought no answer within `deadlineMs`.
   */
  call<T extends keyof Services>(name: string, type: T, request: Services[T]['request'], deadlineMs: number): Promise<Services[T]['response']> {
    return this.#exchange(deadlineMs, (ros, done, refused) => {
      const service = new Service<Services[T]['request'], Services[T]['response']>({ ros, name, serviceType: type });
      service.callService(request, done, refused, deadlineMs / 1000);
    });
  }

  /**
   * Send an action goal now and wait for its result, however long it takes; 0 = no deadline. `onStep` gets the feedback.
   *
   * @throws CallError it could not be sent, was refused, or the connection was lost before the result came.
   */
  goal<T extends keyof Actions>(name: string, type: T, goal: Actions[T]['goal'], deadlineMs = 0,
    onStep: (feedback: Actions[T]['feedback']) => void = () => undefined): Promise<Actions[T]['result']> {
    return this.#exchange(deadlineMs, (ros, done, refused) => {
      const action = new Action<Actions[T]['goal'], Actions[T]['feedback'], Actions[T]['result']>({ ros, name, actionType: type });
      // A goal that the cell ended itself (aborted, cancelled) carries a result with code and message, which roslib gives as text.
      const ended = (problem: unknown): void => {
        const result = resultIn(String(problem));
        if (result === null) refused(problem);
        else done(result as Actions[T]['result']);
      };
      action.sendGoal(goal, done, onStep, ended);
    });
  }

  #exchange<R>(deadlineMs: number, send: (ros: Ros, done: (value: R) => void, refused: (problem: unknown) => void) => void): Promise<R> {
    const ros = this.#ros;
    if (!ros?.isConnected || !this.connected) {
      return Promise.reject(new CallError('offline', 'Not connected: nothing was sent. Give the command again when the connection is back.'));
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
        const text = `No answer within ${deadlineMs / 1000} s. It may have been carried out: look at the cell before you give it again.`;
        timer = setTimeout(() => pending.fail('late', text), deadlineMs);
      }
      this.#pending.add(pending);
      const done = (value: R): void => {
        settle();
        resolve(value);
      };
      send(ros, done, (problem) => pending.fail('refused', String(problem) || 'Refused without a reason.'));
    });
  }

  #dial(): void {
    const ros = new Ros({ transportFactory: openSocket });
    this.#ros = ros;
    ros.on('connection', () => this.#opened(ros));
    ros.on('close', (event: unknown) => this.#closed(ros, closeReason(event)));
    this.#change({ state: 'connecting', retryAt: 0, reason: this.#link.reason });
    this.#timer = setTimeout(() => this.#closed(ros, 'No answer from the gateway.'), this.#options.dialMs);
    ros.connect(this.#options.url).catch((problem: unknown) => this.#closed(ros, String(problem)));
  }

  #opened(ros: Ros): void {
    if (ros !== this.#ros) return;
    clearTimeout(this.#timer);
    this.#attempt = 0;
    this.#change({ state: 'connected', retryAt: 0, reason: '' });
    this.#heard();
    for (const wanted of this.#wanted) this.#attach(ros, wanted);
  }

  #attach(ros: Ros, wanted: Wanted): void {
    const topic = new Topic({
      ros, name: wanted.name, messageType: wanted.type, throttle_rate: wanted.throttleMs, queue_length: 1, reconnect_on_close: false,
    });
    topic.subscribe((message: unknown) => {
      if (ros !== this.#ros) return;
      this.#heard();
      wanted.handle(message as never);
    });
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (this.#ros) this.#closed(this.#ros, 'Nothing was heard from the cell.');
    }, this.#options.silenceMs);
    this.#options.onMessage();
  }

  #closed(ros: Ros, reason: string): void {
    if (ros !== this.#ros) return;
    this.#end('waiting', reason);
  }

  #end(state: 'waiting' | 'stopped', reason: string): void {
    const ros = this.#ros;
    this.#ros = null;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    ros?.removeAllListeners();
    ros?.close();
    let retryAt = 0;
    if (state === 'waiting') {
      const wait = backoff(this.#attempt++, this.#options.random, this.#options.retryBaseMs);
      retryAt = performance.now() + wait;
      this.#timer = setTimeout(() => this.#dial(), wait);
    }
    this.#change({ state, retryAt, reason });
    const lost = 'The connection was lost before the answer came. It may have been carried out: look at the cell before you give it again.';
    for (const pending of [...this.#pending]) pending.fail('lost', lost);
  }

  #change(link: Link): void {
    this.#link = link;
    this.#options.onLink(link);
  }
}

/** Return the action result in the text of roslib's GoalError, or null when there is none. */
function resultIn(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text.slice(text.indexOf('{')));
    return typeof value === 'object' && value !== null && 'code' in value ? value : null;
  } catch {
    return null;
  }
}

/** Say why a WebSocket was closed, from its close event. */
function closeReason(event: unknown): string {
  const { reason = '', code = 0 } = (event ?? {}) as Partial<CloseEvent>;
  return reason || (code === 1006 ? 'The gateway is not reachable.' : `The connection was closed (${code}).`);
}
