import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallError, Connection, type ConnectionOptions, type Link } from '../src/core/connection';
import { FakeRosbridge, until, type Message } from './fake_rosbridge';

const TYPE = 'cell_interfaces/srv/ControlJob';
const command = { request_id: '', operator_id: '', issued_at: { sec: 0, nanosec: 0 }, valid_for: { sec: 0, nanosec: 0 }, role: '', origin: '' };
const request = { command, action: 0 };
const response = { code: 0, message: '' };

let rosbridge: FakeRosbridge;
let links: Link[];
let connection: Connection;

function connect(options: Partial<ConnectionOptions> = {}): Connection {
  links = [];
  connection = new Connection({ url: rosbridge.url, retryBaseMs: 20, onLink: (link) => links.push(link), ...options });
  connection.start();
  return connection;
}

const answered = (message: Message): Message => ({ op: 'service_response', id: message.id, service: message.service, result: true, values: response });

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(CallError);
    return (error as CallError).failure;
  }
  throw new Error('the call did not fail');
}

beforeEach(async () => {
  rosbridge = await new FakeRosbridge().start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  connection.stop();
  await rosbridge.stop();
});

describe('commands', () => {
  it('are answered', async () => {
    rosbridge.answer = answered;
    connect();
    await until(() => connection.connected);
    expect(await connection.call('/cell/control_job', TYPE, request, 1000)).toEqual(response);
    expect(rosbridge.ops('call_service')).toMatchObject([{ service: '/cell/control_job', args: request, timeout: 1 }]);
  });

  it('given while disconnected fail immediately and are never sent later', async () => {
    connect();
    expect(await failure(connection.call('/cell/control_job', TYPE, request, 1000))).toBe('offline');
    expect(await failure(connection.goal('/cell/run_job', 'cell_interfaces/action/RunJob', { command, job_id: '1', part_number: '', quantity: 0 }))).toBe('offline');
    await until(() => connection.connected);
    const port = rosbridge.port;
    await rosbridge.stop();
    await until(() => !connection.connected);
    expect(await failure(connection.call('/cell/control_job', TYPE, request, 1000))).toBe('offline');
    rosbridge = await new FakeRosbridge().start(port);
    rosbridge.answer = answered;
    await until(() => connection.connected);
    await connection.call('/cell/control_job', TYPE, { ...request, action: 1 }, 1000);
    expect(rosbridge.ops('call_service')).toMatchObject([{ args: { action: 1 } }]);
    expect(rosbridge.ops('send_action_goal')).toEqual([]);
  });

  it('pending when the connection is lost fail', async () => {
    connect();
    await until(() => connection.connected);
    const call = failure(connection.call('/cell/control_job', TYPE, request, 5000));
    const goal = failure(connection.goal('/cell/run_job', 'cell_interfaces/action/RunJob', { command, job_id: '1', part_number: '', quantity: 0 }));
    await until(() => rosbridge.received.length === 2);
    rosbridge.drop();
    expect(await Promise.all([call, goal])).toEqual(['lost', 'lost']);
  });

  it('without a response time out, and a late response is ignored', async () => {
    connect();
    await until(() => connection.connected);
    expect(await failure(connection.call('/cell/control_job', TYPE, request, 30))).toBe('timeout');
    rosbridge.sockets[0]!.send(JSON.stringify(answered(rosbridge.received[0]!)));
    rosbridge.answer = answered;
    expect(await connection.call('/cell/control_job', TYPE, request, 1000)).toEqual(response);
  });

  it('that are rejected say why', async () => {
    rosbridge.answer = (message) => ({ ...answered(message), result: false, values: 'not allowed for role viewer' });
    connect();
    await until(() => connection.connected);
    await expect(connection.call('/cell/control_job', TYPE, request, 1000)).rejects.toThrow('not allowed for role viewer');
  });

  it('that are goals wait for their result', async () => {
    rosbridge.answer = (message) => ({ op: 'action_result', id: message.id, action: message.action, status: 4, result: true, values: response });
    connect();
    await until(() => connection.connected);
    const goal = { command, job_id: '7', part_number: '', quantity: 0 };
    expect(await connection.goal('/cell/run_job', 'cell_interfaces/action/RunJob', goal)).toEqual(response);
    expect(rosbridge.ops('send_action_goal')).toMatchObject([{ action: '/cell/run_job', action_type: 'cell_interfaces/action/RunJob', args: goal }]);
  });
});

describe('the connection', () => {
  it('reconnects after a loss and resubscribes every topic once', async () => {
    const seen: unknown[] = [];
    connect();
    connection.subscribe('/cell/job', 'cell_interfaces/msg/JobState', 200, (job) => seen.push(job.placed));
    await until(() => rosbridge.ops('subscribe').length === 1);
    expect(rosbridge.received[0]).toMatchObject({ topic: '/cell/job', type: 'cell_interfaces/msg/JobState', throttle_rate: 200, queue_length: 1 });
    rosbridge.drop();
    await until(() => rosbridge.ops('subscribe').length === 2);
    rosbridge.publish('/cell/job', { placed: 3 });
    await until(() => seen.length > 0);
    expect(seen).toEqual([3]);
    expect(links.map((link) => link.state)).toEqual(['connecting', 'connected', 'waiting', 'connecting', 'connected']);
  });

  it('backs off after each failure and reports the next attempt', async () => {
    const port = rosbridge.port;
    await rosbridge.stop();
    rosbridge.port = port;
    connect({ random: () => 1 });
    await until(() => links.filter((link) => link.state === 'waiting').length === 3);
    rosbridge = await new FakeRosbridge().start(port);
    await until(() => connection.connected);
    const waits = links.filter((link) => link.state === 'waiting');
    expect(waits.every((link) => link.retryAt > 0 && link.reason)).toBe(true);
  });

  it('is closed after the idle timeout', async () => {
    connect({ idleTimeoutMs: 50 });
    await until(() => rosbridge.sockets.length >= 2);
    expect(links.some((link) => link.reason === 'Idle timeout: no data received from the cell.')).toBe(true);
  });

  it('stays open while the gateway sends a sign of life and rosbridge is silent', async () => {
    connect({ idleTimeoutMs: 60 });
    await until(() => connection.connected);
    for (let beat = 0; beat < 10; beat++) {
      rosbridge.sockets[0]!.send('{"op":"status","level":"info","msg":"web_gateway"}');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(rosbridge.sockets.length).toBe(1);
  });

  it('is replaced when data arrives that has waited while the browser had frozen the page', async () => {
    const received: unknown[] = [];
    connect();
    connection.subscribe('/cell/status', 'cell_interfaces/msg/CellStatus', 0, (status) => received.push(status));
    await until(() => rosbridge.ops('subscribe').length === 1);
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
    rosbridge.publish('/cell/status', { ready: true });
    await until(() => rosbridge.sockets.length === 2);
    vi.restoreAllMocks();
    expect(received).toEqual([]);
  });

  it('is replaced at once after a sleep of the computer', async () => {
    connect({ retryBaseMs: 5_000 });
    await until(() => connection.connected);
    connection.restart('asleep');
    expect(links.slice(-2).map((link) => link.state)).toEqual(['waiting', 'connecting']);
    await until(() => connection.connected && rosbridge.sockets.length === 2);
  });

  it('is closed after the connect timeout', async () => {
    const net = await import('node:net');
    const silentServer = net.createServer();
    await new Promise<void>((resolve) => silentServer.listen(0, '127.0.0.1', resolve));
    connect({ url: `ws://127.0.0.1:${(silentServer.address() as { port: number }).port}`, connectTimeoutMs: 30 });
    await until(() => links.some((link) => link.reason === 'Connection to the gateway timed out.'));
    connection.stop();
    silentServer.close();
  });

  it('reports the close reason of the gateway', async () => {
    connect();
    await until(() => connection.connected);
    rosbridge.sockets[0]!.close(1013, 'rosbridge is not running');
    await until(() => links.some((link) => link.reason === 'rosbridge is not running'));
  });

  it('stays stopped', async () => {
    connect();
    await until(() => connection.connected);
    connection.stop();
    await until(() => rosbridge.sockets[0]!.readyState === 3);
    connection.reconnectNow();
    expect(links.at(-1)?.state).toBe('stopped');
  });
});
