import {
  ControlJob_Request, JobState, KeepFrame_Request, ResultCode, type Actions, type BenchmarkSet, type MatchResult, type PreflightCheck, type Services,
} from '../generated/messages';
import type { Cell } from './cell.svelte';
import { CallError } from './connection';
import { codeName, verdictLook } from './texts';

export const DEADLINE_MS = 6_000;
const BEGIN_MS = 6_000;
const RECOVERY_MS = 120_000;
const POLL_MS = 50;

export interface Question {
  title: string;
  text: string;
  /** What the button that carries it out says. */
  yes: string;
  /** The arm will move, or may. */
  moves?: boolean;
  /** What was looked at before the question was asked. */
  checks?: PreflightCheck[];
}

/** A recovery of the robot, from the question whether the area is clear to its end. */
export interface Recovery {
  phase: 'asking' | 'running' | 'done' | 'failed';
  /** What has been begun so far, the last one being what is done now. */
  steps: string[];
  count: number;
  message: string;
}

type Answer = { code: number; message: string };
type Body<R> = Omit<R, 'command'>;

/** The commands that an operator can give: asks first where the arm may move, tells what came of it. */
export class Operator {
  question = $state.raw<Question | null>(null);
  recovery = $state.raw<Recovery | null>(null);
  /** What people said that readings really were, by request id: part number, "" = no readable number. */
  corrections = $state.raw<Record<string, string>>({});
  /** A command is under way: no second one until it has ended. */
  busy = $state(false);
  #decide: ((yes: boolean) => void) | null = null;

  constructor(private readonly cell: Cell) {}

  /** Ask the operator; only one question stands at a time. */
  ask(question: Question): Promise<boolean> {
    this.answer(false);
    this.question = question;
    return new Promise((resolve) => (this.#decide = resolve));
  }

  answer(yes: boolean): void {
    this.question = null;
    this.#decide?.(yes);
    this.#decide = null;
  }

  /** Set a pick job and run it. */
  async startJob(part_number: string, quantity: number): Promise<void> {
    if (!(await this.#mayStart(`${quantity} × ${part_number}. The robot arm will move.`))) return;
    await this.#once('Start job', async () => {
      const set = await this.#call('set_job', 'cell_interfaces/srv/SetJob', { part_number, quantity });
      if (this.#failed('Start job', set)) return;
      await this.#run(set.job_id);
    });
  }

  /** Run a job that is set and has not begun. */
  async runJob(job: JobState): Promise<void> {
    if (!(await this.#mayStart(`${job.quantity} × ${job.part_number}. The robot arm will move.`))) return;
    await this.#once('Start job', () => this.#run(job.job_id));
  }

  async control(action: number, question?: Question): Promise<void> {
    if (question && !(await this.ask(question))) return;
    await this.#service(CONTROL_TITLES[action] ?? 'Job', 'control_job', 'cell_interfaces/srv/ControlJob', { action });
  }

  async reload(part_number: string, tray: number, count: number): Promise<boolean> {
    return this.#service('Reload', 'inventory/reload', 'cell_interfaces/srv/AdjustStock', { part_number, tray, count, reason: 'reload confirmed on the page' });
  }

  async startWeighJob(body: Body<Services['cell_interfaces/srv/StartWeighJob']['request']>): Promise<boolean> {
    return this.#service('Start weigh job', 'weighing/start_job', 'cell_interfaces/srv/StartWeighJob', body);
  }

  async endWeighJob(station: string): Promise<void> {
    const text = `Station ${station}. Bags weighed so far stay on record.`;
    if (!(await this.ask({ title: 'End the weigh job early?', text, yes: 'End weigh job' }))) return;
    await this.#service('End weigh job', 'weighing/end_job', 'cell_interfaces/srv/EndWeighJob', { station, reason: 'ended on the page' });
  }

  async acknowledge(alarm_id: string): Promise<void> {
    await this.#service('Acknowledge', 'alarms/acknowledge', 'cell_interfaces/srv/HandleAlarm', { alarm_id, shelve_for: { sec: 0, nanosec: 0 } });
  }

  async shelve(alarm_id: string, minutes: number): Promise<void> {
    await this.#service('Shelve', 'alarms/shelve', 'cell_interfaces/srv/HandleAlarm', { alarm_id, shelve_for: { sec: minutes * 60, nanosec: 0 } });
  }

  async reopenWeighJob(weigh_job_id: number, station: string, quantity: number, reason: string): Promise<boolean> {
    return this.#service('Reopen weigh job', 'weighing/reopen_job', 'cell_interfaces/srv/ReopenWeighJob', { weigh_job_id, station, quantity, reason });
  }

  async voidBag(bag_id: number, reason: string): Promise<boolean> {
    return this.#service('Void bag', 'weighing/void_bag', 'cell_interfaces/srv/VoidBag', { bag_id, reason });
  }

  /** Have a refused bag sent again; 0 = all of them, and end a pause. */
  async sendAgain(bag_id: number): Promise<void> {
    await this.#service('Send again', 'weighing/retry', 'cell_interfaces/srv/RetryDelivery', { bag_id });
  }

  /** Say what a piece really was: its picture joins the test set under that name. */
  async correct(match: MatchResult, part_number: string): Promise<boolean> {
    const verdict = `${verdictLook(match.verdict).text} ${match.part_number}`.trim();
    const kept = await this.#service('Correction', 'ocr/keep_frame', 'cell_interfaces/srv/KeepFrame', {
      request_id: match.request_id, kind: KeepFrame_Request.CORRECTION, part_number, verdict });
    if (kept) this.corrections = { ...this.corrections, [match.request_id]: part_number };
    return kept;
  }

  /** Return the stored benchmarks, of every part its latest or of one part every version; a text when they cannot be had. */
  async benchmarks(part_number = ''): Promise<BenchmarkSet[] | string> {
    try {
      const answer = await this.cell.connection.call(this.cell.name('matching/benchmarks'), 'cell_interfaces/srv/GetBenchmarks', { part_number }, DEADLINE_MS);
      return answer.code === ResultCode.OK ? answer.benchmarks : answer.message;
    } catch (failure) {
      return text(failure);
    }
  }

  /** Begin to recover the robot: nothing is sent before the operator says that the area is clear. */
  askRecovery(): void {
    if (this.recovery?.phase !== 'running') this.recovery = { phase: 'asking', steps: [], count: 0, message: '' };
  }

  closeRecovery(): void {
    this.recovery = null;
  }

  /** The operator has looked at the cause and the area: recover, and tell each step. */
  async recoverRobot(): Promise<void> {
    await this.#once('Recover robot', async () => {
      this.recovery = { phase: 'running', steps: [], count: 0, message: '' };
      try {
        const result = await this.#goal('robot/recover', 'cell_interfaces/action/RecoverRobot', { area_is_clear: true }, RECOVERY_MS, (feedback) => {
          const before = this.recovery?.phase === 'running' ? this.recovery : null;
          if (before) this.recovery = { ...before, steps: [...before.steps.slice(0, Math.max(0, feedback.number - 1)), feedback.step], count: feedback.count };
        });
        const good = result.code === ResultCode.OK;
        this.#recovered(good, good ? result.message : `${result.message} (${codeName(result.code)})`);
      } catch (failure) {
        this.#recovered(false, text(failure));
      }
    });
    if (this.recovery?.phase === 'asking') this.recovery = null; // it could not be begun; the notice says why
  }

  #recovered(good: boolean, message: string): void {
    this.recovery = { steps: [], count: 0, ...this.recovery, phase: good ? 'done' : 'failed', message };
  }

  /** Ask the cell to stop: the robot's program and the pick job. Needs no confirmation, and no fresh status either. */
  async stopCell(): Promise<void> {
    const stop = this.#call('robot/stop', 'cell_interfaces/srv/RobotCommand', {});
    const pause = this.#call('control_job', 'cell_interfaces/srv/ControlJob', { action: ControlJob_Request.PAUSE });
    const [robot, job] = await Promise.allSettled([stop, pause]);
    const robotSays = outcome(robot, 'asked to stop.');
    const jobSays = outcome(job, 'asked to pause.', [ResultCode.NO_JOB, ResultCode.WRONG_STATE]);
    const good = robotSays.good && jobSays.good;
    this.cell.tell(good ? 'done' : 'error', 'Stop cell', `Robot: ${robotSays.text} Job: ${jobSays.text}`);
  }

  /** Check the robot and ask; as long as a check fails there is nothing to start, only to check again. */
  async #mayStart(what: string): Promise<boolean> {
    for (;;) {
      let found: { checks: PreflightCheck[]; problem: string } | null = null;
      await this.#once('Start job', async () => {
        found = await this.#preflight();
      });
      if (!found) return false;
      const { checks, problem } = found as { checks: PreflightCheck[]; problem: string };
      if (!problem) return this.ask({ title: 'Start picking?', text: what, yes: 'Start', moves: true, checks });
      if (!(await this.ask({ title: 'The robot is not ready', text: problem, yes: 'Check again', checks }))) return false;
    }
  }

  async #preflight(): Promise<{ checks: PreflightCheck[]; problem: string }> {
    const answer = await this.cell.connection.call(this.cell.name('robot/preflight'), 'cell_interfaces/srv/RobotPreflight', {}, DEADLINE_MS);
    return { checks: answer.checks ?? [], problem: answer.code === ResultCode.OK ? '' : answer.message || codeName(answer.code) };
  }

  /** Send the goal and wait until the job is seen to have begun; from then on the job topic tells, whatever becomes of this page. */
  async #run(job_id: string): Promise<void> {
    let ended = false;
    const goal = this.#goal('run_job', 'cell_interfaces/action/RunJob', { job_id, part_number: '', quantity: 0 }, 0);
    const result = goal.then((value) => ({ value })).finally(() => (ended = true));
    const begun = this.#begun(job_id, () => ended).then((seen) => ({ seen }));
    const first = await Promise.race([result, begun]);
    if ('value' in first) {
      this.#failed('Start job', first.value);
      return;
    }
    result.catch(() => undefined); // the connection may be lost while the job goes on
    if (!first.seen && !ended) this.cell.tell('error', 'Start job', 'The cell did not confirm that the job began. Look at its state before you start it again.');
  }

  async #begun(job_id: string, ended: () => boolean): Promise<boolean> {
    const end = performance.now() + BEGIN_MS;
    while (performance.now() < end && !ended()) {
      const job = this.cell.job;
      if (job?.job_id === job_id && job.state !== JobState.READY && job.state !== JobState.NONE) return true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return ended();
  }

  async #service<T extends keyof Services>(title: string, name: string, type: T, body: Body<Services[T]['request']>): Promise<boolean> {
    let good = false;
    await this.#once(title, async () => {
      const answer = await this.#call(name, type, body);
      good = !this.#failed(title, answer);
      if (good) this.cell.tell('done', title, answer.message || 'Done.');
    });
    return good;
  }

  /** Carry out one command at a time and tell when it fails. */
  async #once(title: string, work: () => Promise<void>): Promise<void> {
    const problem = this.busy ? 'Another command is under way.' : this.cell.blocked;
    if (problem) {
      this.cell.tell('error', title, problem);
      return;
    }
    this.busy = true;
    try {
      await work();
    } catch (failure) {
      this.cell.tell('error', title, text(failure));
    } finally {
      this.busy = false;
    }
  }

  #call<T extends keyof Services>(name: string, type: T, body: Body<Services[T]['request']>): Promise<Services[T]['response'] & Answer> {
    const request = { command: this.cell.command(), ...body } as Services[T]['request'];
    return this.cell.connection.call(this.cell.name(name), type, request, DEADLINE_MS) as Promise<Services[T]['response'] & Answer>;
  }

  #goal<T extends keyof Actions>(name: string, type: T, body: Body<Actions[T]['goal']>, deadlineMs: number,
    onStep?: (feedback: Actions[T]['feedback']) => void): Promise<Actions[T]['result'] & Answer> {
    const goal = { command: this.cell.command(), ...body } as Actions[T]['goal'];
    return this.cell.connection.goal(this.cell.name(name), type, goal, deadlineMs, onStep) as Promise<Actions[T]['result'] & Answer>;
  }

  #failed(title: string, answer: Answer): boolean {
    if (answer.code === ResultCode.OK) return false;
    this.cell.tell('error', title, `${answer.message} (${codeName(answer.code)})`);
    return true;
  }
}

const CONTROL_TITLES: Record<number, string> = {
  [ControlJob_Request.PAUSE]: 'Pause', [ControlJob_Request.RESUME]: 'Resume', [ControlJob_Request.CANCEL]: 'Cancel job',
  [ControlJob_Request.RESOLVE_DONE]: 'Resolve', [ControlJob_Request.RESOLVE_NOT_DONE]: 'Resolve', [ControlJob_Request.RESOLVE_REMOVED]: 'Resolve',
};

/** Say what came of one half of a stop; `idle` are the codes that mean that nothing was running. */
function outcome(result: PromiseSettledResult<Answer>, done: string, idle: number[] = []): { good: boolean; text: string } {
  if (result.status === 'rejected') return { good: false, text: text(result.reason) };
  const { code, message } = result.value;
  if (idle.includes(code)) return { good: true, text: 'none is running.' };
  return code === ResultCode.OK ? { good: true, text: message || done } : { good: false, text: message };
}

const text = (problem: unknown): string => (problem instanceof CallError ? problem.message : `Defect in the page: ${String(problem)}`);
