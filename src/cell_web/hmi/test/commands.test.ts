import { describe, expect, it, vi } from 'vitest';
import { ControlJob_Request, JobState, ResultCode, type MatchResult } from '../src/generated/messages';
import { NOW, SESSION, answers, begin, calls, cell, commands, job, rosbridge, status, stop } from './commands_rig';
import { until, type Message } from './fake_rosbridge';

async function startJob(yes = true): Promise<void> {
  const starting = commands.startJob('P', 5);
  await until(() => commands.question);
  commands.answer(yes);
  await starting;
}

describe('the view model of the cell', () => {
  it('is live while statuses arrive, and stale soon after they stop', async () => {
    await begin();
    expect([cell.live, cell.blocked]).toEqual([true, '']);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 4_000);
    cell.tick();
    expect(cell.live).toBe(false);
    expect(cell.blocked).toContain('No status received');
    vi.restoreAllMocks();
  });

  it('does not count a repeated status as a sign of life', async () => {
    await begin();
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3_000); // less than a page that was not running
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
  it("carries operator, issue time by the cell's clock, and validity", async () => {
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
    await commands.control(ControlJob_Request.PAUSE);
    vi.restoreAllMocks();
    expect(cell.toasts.at(-1)?.text).toContain('No status received');
    expect(calls('/cell/control_job')).toEqual([]);
  });

  it('is not sent by a viewer', async () => {
    await begin({ ...SESSION, role: 'viewer' });
    await commands.control(ControlJob_Request.PAUSE);
    expect(calls('/cell/control_job')).toEqual([]);
  });

  it('that fails says why, with the name of its code', async () => {
    answers['/cell/control_job'] = { code: ResultCode.WRONG_STATE, message: 'Only a running job can be paused.' };
    await begin();
    await commands.control(ControlJob_Request.PAUSE);
    expect(cell.toasts.at(-1)).toMatchObject({ kind: 'error', title: 'Pause', text: 'Only a running job can be paused. (WRONG STATE)' });
  });

  it('pending when the connection is lost says so and leaves the page usable', async () => {
    await begin();
    rosbridge.answer = () => undefined;
    const pausing = commands.control(ControlJob_Request.PAUSE);
    await until(() => calls('/cell/control_job').length);
    rosbridge.drop();
    await pausing;
    expect(cell.toasts.at(-1)?.text).toContain('lost before the response');
    expect(commands.busy).toBe(false);
  });

  it('is sent once, however often the button is pressed', async () => {
    await begin();
    await Promise.all([commands.control(ControlJob_Request.PAUSE), commands.control(ControlJob_Request.PAUSE)]);
    expect(calls('/cell/control_job')).toHaveLength(1);
  });
});

describe('starting a job', () => {
  it('asks first, and sends nothing when declined', async () => {
    await begin();
    await startJob(false);
    expect(rosbridge.ops('call_service').map((call) => call.service)).toEqual(['/cell/robot/preflight']);
  });

  it('sets the job, sends the goal, and completes when the job runs', async () => {
    answers['/cell/set_job'] = { job_id: 'j1' };
    await begin();
    const starting = startJob();
    await until(() => calls('/cell/run_job').length);
    expect(commands.busy).toBe(true);
    job(JobState.RUNNING);
    await starting;
    expect(calls('/cell/run_job')).toMatchObject([{ args: { job_id: 'j1', part_number: '', quantity: 0 } }]);
    expect(cell.toasts).toEqual([]);
    rosbridge.drop(); // the job goes on without the page
    await until(() => !cell.connected);
    expect(cell.toasts).toEqual([]);
  });

  it('stops when the cell rejects the job', async () => {
    answers['/cell/set_job'] = { code: ResultCode.NOT_ENOUGH_STOCK, message: '2 are left.' };
    await begin();
    await startJob();
    expect(calls('/cell/run_job')).toEqual([]);
    expect(cell.toasts.at(-1)?.text).toBe('2 are left. (NOT ENOUGH STOCK)');
  });

  it('shows the message of the cell when the goal is aborted', async () => {
    answers['/cell/set_job'] = { job_id: 'j1' };
    answers['/cell/run_job'] = { status: 6, result: true, values: { code: ResultCode.NOT_READY, message: 'The camera is off.' } };
    await begin();
    await startJob();
    expect(cell.toasts.at(-1)?.text).toBe('The camera is off. (NOT READY)');
  });

  it('shows the message of the gateway when the goal is rejected', async () => {
    answers['/cell/set_job'] = { job_id: 'j1' };
    answers['/cell/run_job'] = { status: 6, result: false, values: 'not allowed for role viewer' };
    await begin();
    await startJob();
    expect(cell.toasts.at(-1)?.text).toContain('not allowed for role viewer');
  });

  it('says that the start is not confirmed when the connection is lost', async () => {
    answers['/cell/set_job'] = { job_id: 'j1' };
    await begin();
    const starting = startJob();
    await until(() => calls('/cell/run_job').length);
    rosbridge.drop();
    await starting;
    expect(cell.toasts.at(-1)).toMatchObject({ kind: 'error', title: 'Start job' });
  });
});

describe('stop cell', () => {
  it('stops robot and job together, even with stale data', async () => {
    await begin();
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 4_000);
    cell.tick();
    await commands.stopCell();
    vi.restoreAllMocks();
    expect([calls('/cell/robot/stop').length, calls('/cell/control_job').length]).toEqual([1, 1]);
  });

  it('succeeds when no job is running', async () => {
    answers['/cell/control_job'] = { code: ResultCode.NO_JOB, message: 'no job' };
    await begin();
    await commands.stopCell();
    expect(cell.toasts.at(-1)?.kind).toBe('done');
  });

  it('names the part that could not be stopped', async () => {
    answers['/cell/robot/stop'] = { code: ResultCode.NOT_SUPPORTED, message: 'This link cannot stop the program: use the pendant.' };
    await begin();
    await commands.stopCell();
    expect(cell.toasts.at(-1)).toMatchObject({ kind: 'error', text: 'Robot: This link cannot stop the program: use the pendant. Job: pause requested.' });
  });
});

describe('before a start', () => {
  const checks = [{ name: 'remote control', ok: true, message: '' }, { name: 'program', ok: false, message: 'load the program' }];

  it('the pre-flight checks are shown', async () => {
    answers['/cell/robot/preflight'] = { checks: [checks[0]] };
    await begin();
    const starting = commands.startJob('P', 5);
    await until(() => commands.question);
    expect(commands.question).toMatchObject({ confirmLabel: 'Start', moves: true, checks: [checks[0]] });
    commands.answer(false);
    await starting;
  });

  it('a failing check offers only to check again', async () => {
    answers['/cell/robot/preflight'] = { code: ResultCode.PREFLIGHT_FAILED, message: 'program: load the program', checks };
    await begin();
    const starting = commands.startJob('P', 5);
    await until(() => commands.question);
    expect(commands.question).toMatchObject({ confirmLabel: 'Check again', text: 'program: load the program', checks });
    answers['/cell/robot/preflight'] = { checks: [checks[0]] };
    commands.answer(true);
    await until(() => commands.question?.confirmLabel === 'Start');
    commands.answer(false);
    await starting;
    expect(calls('/cell/set_job')).toEqual([]);
    expect(calls('/cell/robot/preflight')).toHaveLength(2);
  });

  it('an unreachable robot is reported, and nothing starts', async () => {
    await begin();
    rosbridge.answer = (message) => ({ op: 'service_response', id: message.id, service: message.service, result: false, values: 'no such service' });
    await commands.startJob('P', 5);
    expect(commands.question).toBeNull();
    expect(cell.toasts.at(-1)).toMatchObject({ kind: 'error', title: 'Start job' });
  });
});

describe('recovering the robot', () => {
  const goalOf = (): Message => calls('/cell/robot/recover')[0]!;
  const feedback = (number: number, step: string): void => rosbridge.sockets.at(-1)?.send(JSON.stringify(
    { op: 'action_feedback', id: goalOf().id, action: '/cell/robot/recover', values: { step, number, count: 3 } }));
  const result = (values: Message): void => rosbridge.sockets.at(-1)?.send(JSON.stringify(
    { op: 'action_result', id: goalOf().id, action: '/cell/robot/recover', status: 4, result: true, values }));

  it('sends nothing before the operator says that the area is clear', async () => {
    await begin();
    commands.askRecovery();
    expect(commands.recovery?.phase).toBe('asking');
    commands.closeRecovery();
    expect(commands.recovery).toBeNull();
    expect(rosbridge.received.filter((message) => message.op === 'send_action_goal')).toEqual([]);
  });

  it('shows each step and the result', async () => {
    await begin();
    commands.askRecovery();
    const recovering = commands.recoverRobot();
    await until(() => calls('/cell/robot/recover').length);
    expect(goalOf().args).toMatchObject({ area_is_clear: true });
    feedback(1, 'wait 5 s');
    feedback(2, 'unlock');
    await until(() => commands.recovery?.steps.length === 2);
    expect(commands.recovery).toMatchObject({ phase: 'running', steps: ['wait 5 s', 'unlock'], count: 3 });
    result({ code: 0, message: 'The robot is ready.' });
    await recovering;
    expect(commands.recovery).toMatchObject({ phase: 'done', steps: ['wait 5 s', 'unlock'], message: 'The robot is ready.' });
  });

  it('that is rejected says why and keeps the steps so far', async () => {
    await begin();
    const recovering = commands.recoverRobot();
    await until(() => calls('/cell/robot/recover').length);
    feedback(1, 'look');
    result({ code: ResultCode.WRONG_STATE, message: 'The emergency stop is pressed.' });
    await recovering;
    expect(commands.recovery).toMatchObject({ phase: 'failed', steps: ['look'], message: 'The emergency stop is pressed. (WRONG STATE)' });
  });

  it('that cannot start shows a toast and no dialog', async () => {
    await begin({ ...SESSION, role: 'viewer' });
    commands.askRecovery();
    await commands.recoverRobot();
    expect(commands.recovery).toBeNull();
    expect(cell.toasts.at(-1)?.text).toContain('View only');
  });
});

describe('a correction', () => {
  const match = { request_id: 'r7', verdict: 1, part_number: 'P', text: 'P' } as MatchResult;

  it('names the reading, the part and the verdict, and is stored', async () => {
    await begin();
    expect(await commands.correct(match, 'Q')).toBe(true);
    expect(calls('/cell/ocr/keep_frame')[0]?.args).toMatchObject({ request_id: 'r7', kind: 1, part_number: 'Q', verdict: 'MISMATCH P' });
    expect(commands.corrections).toEqual({ r7: 'Q' });
  });

  it('of an expired reading is not stored', async () => {
    answers['/cell/ocr/keep_frame'] = { code: ResultCode.INVALID_ARGUMENT, message: 'The reading is too old.' };
    await begin();
    expect(await commands.correct(match, '')).toBe(false);
    expect(commands.corrections).toEqual({});
  });
});

describe('weighing', () => {
  it('resends bags, reopens a job and voids a bag, each with its command', async () => {
    await begin();
    await commands.resend(41);
    await commands.reopenWeighJob(7, 'A', 30, 'More bags ordered');
    await commands.voidBag(41, 'Weighed twice');
    expect(calls('/cell/weighing/retry')[0]?.args).toMatchObject({ bag_id: 41, command: { operator_id: 'Ada' } });
    expect(calls('/cell/weighing/reopen_job')[0]?.args).toMatchObject({ weigh_job_id: 7, station: 'A', quantity: 30, reason: 'More bags ordered' });
    expect(calls('/cell/weighing/void_bag')[0]?.args).toMatchObject({ bag_id: 41, reason: 'Weighed twice' });
  });

  it('returns benchmarks, or the error message', async () => {
    answers['/cell/matching/benchmarks'] = { benchmarks: [{ part_number: 'P', version: 2, frames: 5 }] };
    await begin();
    expect(await commands.benchmarks()).toMatchObject([{ version: 2, frames: 5 }]);
    answers['/cell/matching/benchmarks'] = { code: ResultCode.UNKNOWN_PART, message: 'No such part.' };
    expect(await commands.benchmarks('X')).toBe('No such part.');
  });
});
