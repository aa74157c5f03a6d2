import { ControlJob_Request, JobState, ResultCode, type Actions, type Services } from '../generated/messages';
import type { Cell } from './cell.svelte';
import { CallError } from './connection';
import { codeName } from './texts';

export const DEADLINE_MS = 6_000;
const BEGIN_MS = 6_000;
const POLL_MS = 50;

export interface Question {
  title: string;
  text: string;
  /** What the button that carries it out says. */
  yes: string;
  /** The arm will move, or may. */
  moves?: boolean;
}

type Answer = { code: number; message: string };
type Body<R> = Omit<R, 'command'>;

/** The commands that an operator can give: asks first where the arm may move, tells what came of it. */
export class Operator {
  question = $state.raw<Question | null>(null);
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
    const text = `${quantity} × ${part_number}. The robot arm will move.`;
    if (!(await this.ask({ title: 'Start picking?', text, yes: 'Start', moves: true }))) return;
    await this.#once('Start job', async () => {
      const set = await this.#call('set_job', 'cell_interfaces/srv/SetJob', { part_number, quantity });
      if (this.#failed('Start job', set)) return;
      await this.#run(set.job_id);
    });
  }

  /** Run a job that is set and has not begun. */
  async runJob(job: JobState): Promise<void> {
    const text = `${job.quantity} × ${job.part_number}. The robot arm will move.`;
    if (!(await this.ask({ title: 'Start picking?', text, yes: 'Start', moves: true }))) return;
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

  async recoverRobot(): Promise<void> {
    const text = 'Say yes only when you have looked at the cause and nobody and nothing is in the robot’s area. The arm may move afterwards.';
    if (!(await this.ask({ title: 'Is the area clear?', text, yes: 'Area is clear, recover', moves: true }))) return;
    await this.#once('Recover robot', async () => {
      const result = await this.#goal('robot/recover', 'cell_interfaces/action/RecoverRobot', { area_is_clear: true }, 60_000);
      if (!this.#failed('Recover robot', result)) this.cell.tell('done', 'Recover robot', result.message);
    });
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

  #goal<T extends keyof Actions>(name: string, type: T, body: Body<Actions[T]['goal']>, deadlineMs: number): Promise<Actions[T]['result'] & Answer> {
    const goal = { command: this.cell.command(), ...body } as Actions[T]['goal'];
    return this.cell.connection.goal(this.cell.name(name), type, goal, deadlineMs) as Promise<Actions[T]['result'] & Answer>;
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
