import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Cell } from '../src/core/cell.svelte';
import { Operator } from '../src/core/operator.svelte';
import { ControlJob_Request, JobState, ResultCode } from '../src/generated/messages';
import { FakeRosbridge, until, type Message } from './fake_rosbridge';

const SESSION = { namespace: '/cell', role: 'operator', operator_id: 'Ada' };
const NOW = 1_000_000;

let rosbridge: FakeRosbridge;
let cell: Cell;
let operator: Operator;
let stop: () => void;
let answers: Record<string, Message>;

const status = (sec: number, ready = true): void => rosbridge.publish('/cell/status', { stamp: { sec, nanosec: 0 }, ready, subsystems: [] });
const job = (state: number, job_id = 'j1'): void => rosbridge.publish('/cell/job', { job_id, state, quantity: 5, placed: 0, part_number: 'P' });
const calls = (name: string): Message[] => rosbridge.received.filter((message) => message.service === name || message.action === name);

async function begin(session = SESSION): Promise<void> {
  cell = new Cell(session, rosbridge.url);
  operator = new Operator(cell);
  stop = cell.start();
  await until(() => rosbridge.ops('subscribe').length >= 9);
  status(NOW);
  await until(() => cell.live);
}

beforeEach(async () => {
  answers = {};
  rosbridge = await new FakeRosbridge().start();
  rosbridge.answer = (message) => {
    const name = String(message.service ?? message.action);
    if (message.op === 'call_service') return { op: 'service_response', id: message.id, service: name, result: true, values: { code: 0, message: '', ...answers[name] } };
    return message.op === 'send_action_goal' && answers[name] ? { op: 'action_result', id: message.id, action: name, ...answers[name] } : undefined;
  };
});
afterEach(async () => {
  vi.useRealTimers();
  stop();
  await rosbridge.stop();
});

async function startJob(yes = true): Promise<void> {
  const starting = operator.startJob('P', 5);
  await until(() => operator.question);
  operator.answer(yes);
  await starting;
}

describe('the view of the cell', () => {
  it('is live while the status comes, and stale soon after it stops', async () => {
    await begin();
    expect([cell.live, cell.blocked]).toEqual([true, '']);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 4_000);
    cell.tick();
    expect(cell.live).toBe(false);
    expect(cell.blocked).toContain('not been heard');
    vi.restoreAllMocks();
  });

  it('takes the same status once more for no sign of life', async () => {
    await begin();
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 4_000);
    status(NOW);
    job(JobState.RUNNING);
    await until(() => cell.job);
    cell.tick();
    expect(cell.live).toBe(false);
    vi.restoreAllMocks();
  });

  it('shows the newer of the verdicts of job and capture', async () => {
    await begin();
    const match = (sec: number, verdict: number): Message => ({ header: { stamp: { sec, nanosec: 0 } }, verdict });
    rosbridge.publish('/cell/job', { job_id: 'j1', state: 2, last_match: match(10, 0) });
    rosbridge.publish('/cell/component_captured', { match: match(12, 1) });
    await until(() => cell.captured);
    expect(cell.verdict?.verdict).toBe(1);
  });
});

describe('a command', () => {
  it('tells who, when by the clock of the cell, and until when', async () => {
    await begin();
    const [one, two] = [cell.command(), cell.command()];
    expect(one.request_id).not.toBe(two.request_id);
    expect(one.operator_id).toBe('Ada');
    expect(one.issued_at.sec).toBe(NOW);
    expect(one.valid_for).toEqual({ sec: 5, nanosec: 0 });
  });

  it('is not sent when the page is stale', async () => {
    await begin();
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 4_000);
    cell.tick();
    await operator.control(ControlJob_Request.PAUSE);
    vi.restoreAllMocks();
    expect(cell.notices.at(-1)?.text).toContain('not been heard');
    expect(calls('/cell/control_job')).toEqual([]);
  });

  it('is not sent by one who may only look', async () => {
    await begin({ ...SESSION, role: 'viewer' });
    await operator.control(ControlJob_Request.PAUSE);
    expect(calls('/cell/control_job')).toEqual([]);
  });

  it('that fails says why, with the name of its code', async () => {
    answers['/cell/control_job'] = { code: ResultCode.WRONG_STATE, message: 'Only a running job can be paused.' };
    await begin();
    await operator.control(ControlJob_Request.PAUSE);
    expect(cell.notices.at(-1)).toMatchObject({ kind: 'error', title: 'Pause', text: 'Only a running job can be paused. (WRONG STATE)' });
  });

  it('under way when the connection is lost says so, and leaves the page usable', async () => {
    await begin();
    rosbridge.answer = () => undefined;
    const pausing = operator.control(ControlJob_Request.PAUSE);
    await until(() => calls('/cell/control_job').length);
    rosbridge.drop();
    await pausing;
    expect(cell.notices.at(-1)?.text).toContain('lost before the answer');
    expect(operator.busy).toBe(false);
  });

  it('is given once, however often the button is hit', async () => {
    await begin();
    await Promise.all([operator.control(ControlJob_Request.PAUSE), operator.control(ControlJob_Request.PAUSE)]);
    expect(calls('/cell/control_job')).toHaveLength(1);
  });
});

describe('starting a job', () => {
  it('asks first, and a no sends nothing', async () => {
    await begin();
    await startJob(false);
    expect(rosbridge.ops('call_service')).toEqual([]);
  });

  it('sets the job, sends the goal, and is done when the job is seen to run', async () => {
    answers['/cell/set_job'] = { job_id: 'j1' };
    await begin();
    const starting = startJob();
    await until(() => calls('/cell/run_job').length);
    expect(operator.busy).toBe(true);
    job(JobState.RUNNING);
    await starting;
    expect(calls('/cell/run_job')).toMatchObject([{ args: { job_id: 'j1', part_number: '', quantity: 0 } }]);
    expect(cell.notices).toEqual([]);
    rosbridge.drop(); // the job goes on without the page
    await until(() => !cell.connected);
    expect(cell.notices).toEqual([]);
  });

  it('stops where the cell refuses the job', async () => {
    answers['/cell/set_job'] = { code: ResultCode.NOT_ENOUGH_STOCK, message: '2 are left.' };
    await begin();
    await startJob();
    expect(calls('/cell/run_job')).toEqual([]);
    expect(cell.notices.at(-1)?.text).toBe('2 are left. (NOT ENOUGH STOCK)');
  });

  it('says what the cell says when the goal is ended at once', async () => {
    answers['/cell/set_job'] = { job_id: 'j1' };
    answers['/cell/run_job'] = { status: 6, result: true, values: { code: ResultCode.NOT_READY, message: 'The camera is off.' } };
    await begin();
    await startJob();
    expect(cell.notices.at(-1)?.text).toBe('The camera is off. (NOT READY)');
  });

  it('says what the gateway says when the goal is refused', async () => {
    answers['/cell/set_job'] = { job_id: 'j1' };
    answers['/cell/run_job'] = { status: 6, result: false, values: 'not allowed for role viewer' };
    await begin();
    await startJob();
    expect(cell.notices.at(-1)?.text).toContain('not allowed for role viewer');
  });

  it('says that the start is not confirmed when the connection is lost', async () => {
    answers['/cell/set_job'] = { job_id: 'j1' };
    await begin();
    const starting = startJob();
    await until(() => calls('/cell/run_job').length);
    rosbridge.drop();
    await starting;
    expect(cell.notices.at(-1)).toMatchObject({ kind: 'error', title: 'Start job' });
  });
});

describe('stop cell', () => {
  it('asks robot and job at once, even when the page is stale', async () => {
    await begin();
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 4_000);
    cell.tick();
    await operator.stopCell();
    vi.restoreAllMocks();
    expect([calls('/cell/robot/stop').length, calls('/cell/control_job').length]).toEqual([1, 1]);
  });

  it('counts it as stopped when no job runs', async () => {
    answers['/cell/control_job'] = { code: ResultCode.NO_JOB, message: 'no job' };
    await begin();
    await operator.stopCell();
    expect(cell.notices.at(-1)?.kind).toBe('done');
  });

  it('says which part could not be stopped', async () => {
    answers['/cell/robot/stop'] = { code: ResultCode.NOT_SUPPORTED, message: 'This link cannot stop the program: use the pendant.' };
    await begin();
    await operator.stopCell();
    expect(cell.notices.at(-1)).toMatchObject({ kind: 'error', text: 'Robot: This link cannot stop the program: use the pendant. Job: asked to pause.' });
  });
});
