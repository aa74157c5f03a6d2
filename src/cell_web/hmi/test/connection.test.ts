import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallError, Connection, type ConnectionOptions, type Link } from '../src/core/connection';
import { FakeRosbridge, until, type Message } from './fake_rosbridge';

const TYPE = 'cell_interfaces/srv/ControlJob';
const command = { request_id: '', operator_id: '', issued_at: { sec: 0, nanosec: 0 }, valid_for: { sec: 0, nanosec: 0 } };
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
  } catch (problem) {
    expect(problem).toBeInstanceOf(CallError);
    return (problem as CallError).failure;
  }
  throw new Error('it did not fail');
}

beforeEach(async () => {
  rosbridge = await new FakeRosbridge().start();
});
afterEach(async () => {
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

  it('given while disconnected fail at once and are never sent later', async () => {
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

  it('under way when the connection is lost end with an error', async () => {
    connect();
    await until(() => connection.connected);
    const call = failure(connection.call('/cell/control_job', TYPE, request, 5000));
    const goal = failure(connection.goal('/cell/run_job', 'cell_interfaces/action/RunJob', { command, job_id: '1', part_number: '', quantity: 0 }));
    await until(() => rosbridge.received.length === 2);
    rosbridge.drop();
    expect(await Promise.all([call, goal])).toEqual(['lost', 'lost']);
  });

  it('without an answer end at their deadline, and a late answer changes nothing', async () => {
    connect();
    await until(() => connection.connected);
    expect(await failure(connection.call('/cell/control_job', TYPE, request, 30))).toBe('late');
    rosbridge.sockets[0]!.send(JSON.stringify(answered(rosbridge.received[0]!)));
    rosbridge.answer = answered;
    expect(await connection.call('/cell/control_job', TYPE, request, 1000)).toEqual(response);
  });

  it('that are refused say why', async () => {
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
  it('is made again after a loss, and every topic with it, once', async () => {
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

  it('waits longer after each failure and tells when it tries again', async () => {
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

  it('that says nothing is given up', async () => {
    connect({ silenceMs: 50 });
    await until(() => rosbridge.sockets.length >= 2);
    expect(links.some((link) => link.reason === 'Nothing was heard from the cell.')).toBe(true);
  });

  it('that does not open in time is given up', async () => {
    const net = await import('node:net');
    const silent = net.createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    connect({ url: `ws://127.0.0.1:${(silent.address() as { port: number }).port}`, dialMs: 30 });
    await until(() => links.some((link) => link.reason === 'No answer from the gateway.'));
    connection.stop();
    silent.close();
  });

  it('tells the reason that the gateway gives', async () => {
    connect();
    await until(() => connection.connected);
    rosbridge.sockets[0]!.close(1013, 'rosbridge is not running');
    await until(() => links.some((link) => link.reason === 'rosbridge is not running'));
  });

  it('that is stopped stays so', async () => {
    connect();
    await until(() => connection.connected);
    connection.stop();
    await until(() => rosbridge.sockets[0]!.readyState === 3);
    connection.hurry();
    expect(links.at(-1)?.state).toBe('stopped');
  });
});
