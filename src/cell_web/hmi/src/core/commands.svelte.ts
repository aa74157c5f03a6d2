import {
  ControlJob_Request, JobState, KeepFrame_Request, ResultCode, type Actions, type BenchmarkSet, type MatchResult, type PreflightCheck, type Services,
} from '../generated/messages';
import { bookingText, undoneText, type ManualBooking } from './bookings';
import type { Cell } from './cell.svelte';
import { CONTROL_TITLES, errorText, stopOutcome, type ServiceResult } from './commandTexts';
import { localSettings } from './localSettings';
import { codeName, verdictLabel } from './labels';
import { cancelText, type Answer } from './pieceQuestion';
import type { Decision, Question, Recovery } from './questions';

export type { Question, Recovery } from './questions';

export const DEADLINE_MS = 6_000;
const START_CONFIRM_MS = 6_000;
const RECOVERY_MS = 120_000;
/** The robot shows a part, and several frames are read. */
const BENCHMARK_MS = 180_000;
const CAPTURE_MS = 15_000;
/** The robot node waits for the program. */
const PROGRAM_MS = 95_000;
const POLL_MS = 50;
/** Words of the coordinator in a message that the gripper's sensor contradicts an answer. */
const OVERRULES = 'overrules the sensor';

type Body<R> = Omit<R, 'command'>;

/** Operator commands. Asks for confirmation before arm motion and shows the result of each command as a toast. */
export class Commands {
  question = $state.raw<Question | null>(null);
  recovery = $state.raw<Recovery | null>(null);
  /** Corrections by request id: part number; "" = not readable. */
  corrections = $state.raw<Record<string, string>>({});
  /** A command is in progress; others are rejected until it completes. */
  busy = $state(false);
  /** The dialog that asks for the operator's name is open. */
  naming = $state(false);
  #named: ((known: boolean) => void) | null = null;
  #decide: ((decision: Decision) => void) | null = null;

  constructor(private readonly cell: Cell) {}

  /** Ask the operator; a new question cancels the previous one. */
  async ask(question: Question): Promise<boolean> {
    return (await this.#decideOn(question)).yes;
  }

  #decideOn(question: Question): Promise<Decision> {
    this.answer(false);
    this.question = question;
    return new Promise((resolve) => (this.#decide = resolve));
  }

  answer(yes: boolean, resume = false): void {
    this.question = null;
    this.#decide?.({ yes, resume });
    this.#decide = null;
  }

  /** Ask for the operator's name; return whether it is known afterwards. */
  askName(): Promise<boolean> {
    this.#named?.(false);
    this.naming = true;
    return new Promise((resolve) => (this.#named = resolve));
  }

  /** Take the name from the dialog; null = the dialog was closed. */
  giveName(name: string | null): void {
    this.naming = false;
    if (name?.trim()) {
      this.cell.operator = name.trim().slice(0, 64);
      localSettings.set('operator', this.cell.operator);
    }
    this.#named?.(this.cell.operator !== '');
    this.#named = null;
  }

  /** Set a pick job and run it. */
  async startJob(part_number: string, quantity: number): Promise<void> {
    if (!(await this.#confirmStart(`${quantity} × ${part_number}.`))) return;
    await this.#runExclusive('Start job', async () => {
      const set = await this.#call('set_job', 'cell_interfaces/srv/SetJob', { part_number, quantity });
      if (this.#reportFailure('Start job', set)) return;
      await this.#runJob(set.job_id);
    });
  }

  /** Run a job that is set and not started. */
  async runJob(job: JobState): Promise<void> {
    if (!(await this.#confirmStart(`${job.quantity} × ${job.part_number}.`))) return;
    await this.#runExclusive('Start job', () => this.#runJob(job.job_id));
  }

  async control(action: number, question?: Question): Promise<void> {
    if (question && !(await this.ask(question))) return;
    await this.#callAndReport(CONTROL_TITLES[action] ?? 'Job', 'control_job', 'cell_interfaces/srv/ControlJob', { action });
  }

  /** Answer where the piece is. An answer that the gripper's sensor contradicts needs a second confirmation. */
  async answerPiece(answer: Answer): Promise<void> {
    const question = { title: `${answer.label}?`, text: answer.meaning, confirmLabel: answer.label, resumeLabel: `${answer.label} and resume` };
    const { yes, resume } = await this.#decideOn(question);
    if (!yes) return;
    let done = false;
    const send = async (): Promise<string> => {
      let contradiction = '';
      await this.#runExclusive(answer.label, async () => {
        const result = await this.#call('control_job', 'cell_interfaces/srv/ControlJob', { action: answer.action });
        if (result.code === ResultCode.WRONG_STATE && result.message.includes(OVERRULES)) contradiction = result.message;
        else if ((done = !this.#reportFailure(answer.label, result))) this.cell.notify('done', answer.label, result.message || 'Done.');
      });
      return contradiction;
    };
    const contradiction = await send();
    if (contradiction && (await this.ask({ title: 'The gripper sensor disagrees', text: contradiction, confirmLabel: 'Overrule the sensor' }))) {
      const still = await send();
      if (still) this.cell.notify('error', answer.label, still);
    }
    if (done && resume) await this.control(ControlJob_Request.RESUME);
  }

  /** Cancel the job; the question says by the gripper's sensor what to do with a piece. */
  async cancelJob(job: JobState): Promise<void> {
    const placed = `${job.placed} of ${job.quantity} × ${job.part_number} placed. Placed pieces stay.`;
    const running = job.state === JobState.RUNNING;
    const rest = running ? 'The robot puts the current piece into the reject tray.' : cancelText(await this.cell.gripperSensor());
    await this.control(ControlJob_Request.CANCEL, { title: 'Cancel the job?', text: `${placed} ${rest}`, confirmLabel: 'Cancel job', moves: running });
  }

  async reload(part_number: string, tray: number, count: number): Promise<boolean> {
    const before = this.cell.inventory?.sequence ?? 0;
    const body = { part_number, tray, count, reason: 'reload confirmed on the page', over_capacity: false };
    const saved = await this.#callAndReport('Reload', 'inventory/reload', 'cell_interfaces/srv/AdjustStock', body);
    if (!saved) return false;
    await this.cell.refreshBookings();
    const mine = this.cell.bookings.find((booking) => booking.part_number === part_number && Math.min(...booking.sequences) > before);
    if (mine) this.cell.notify('done', 'Reload', `${bookingText(mine)}.`, { label: 'Undo', run: () => void this.undoBooking(mine) });
    return true;
  }

  /** Undo a manual booking by opposite ledger entries, the latest first. */
  async undoBooking(booking: ManualBooking): Promise<void> {
    await this.#runExclusive('Undo', async () => {
      for (const sequence of [...booking.sequences].sort((a, b) => b - a)) {
        const answer = await this.#call('inventory/undo', 'cell_interfaces/srv/UndoStock', { sequence, reason: 'undone on the page' });
        if (this.#reportFailure('Undo', answer)) return;
      }
      this.cell.dismissTitled('Reload');
      this.cell.notify('done', 'Undo', `${undoneText(booking)}.`);
    });
    await this.cell.refreshBookings();
  }

  /** Correct the count of a tray. */
  async adjust(part_number: string, tray: number, count: number, reason: string): Promise<boolean> {
    return this.#callAndReport('Adjust', 'inventory/adjust', 'cell_interfaces/srv/AdjustStock',
      { part_number, tray, count, reason, over_capacity: false });
  }

  /** Cancel the latest entry by an operator, after a confirmation. */
  async undoStock(): Promise<void> {
    const text = 'An opposite entry cancels the latest refill, adjustment or reset of a tray.';
    if (!(await this.ask({ title: 'Undo the latest stock entry?', text, confirmLabel: 'Undo entry' }))) return;
    await this.#callAndReport('Undo', 'inventory/undo', 'cell_interfaces/srv/UndoStock', { sequence: 0, reason: 'undone on the page' });
  }

  /** Set all trays to their first counts and clear a job that is not running, after a confirmation. */
  async resetStock(): Promise<void> {
    const text = 'All trays get their first counts. A job that is not running is cleared. Check that the trays really hold these counts.';
    if (!(await this.ask({ title: 'Reset the stock?', text, confirmLabel: 'Reset stock' }))) return;
    await this.#callAndReport('Reset', 'inventory/reset', 'cell_interfaces/srv/ResetStock', { part_number: '', reason: 'reset on the page' });
  }

  /** Let the robot show a good part and keep its reading, after a confirmation. */
  async setBenchmark(part_number: string): Promise<void> {
    const text = `Put a good ${part_number} into the benchmark position. The robot arm shows it to the camera, and its reading becomes the benchmark.`;
    if (!(await this.ask({ title: 'Set a benchmark?', text, confirmLabel: 'Set benchmark', moves: true }))) return;
    await this.#callAndReport('Set benchmark', 'set_benchmark', 'cell_interfaces/srv/SetBenchmark', { part_number }, BENCHMARK_MS);
  }

  /** Read what the camera sees and compare it with a part; nothing moves. */
  async captureComponent(part_number: string): Promise<void> {
    await this.#callAndReport('Capture', 'capture_component', 'cell_interfaces/srv/CaptureComponent', { part_number }, CAPTURE_MS);
  }

  /** Start the robot's program, after a confirmation. */
  async startProgram(): Promise<void> {
    const text = "The robot's program starts.";
    if (!(await this.ask({ title: 'Start the robot program?', text, confirmLabel: 'Start program', moves: true }))) return;
    await this.#callAndReport('Start program', 'start_robot', 'cell_interfaces/srv/RobotCommand', {}, PROGRAM_MS);
  }

  /** Start the camera, or stop it after a confirmation. */
  async setCamera(running: boolean): Promise<void> {
    const text = 'Without the camera no job can run. Press Start camera to start it again.';
    if (!running && !(await this.ask({ title: 'Stop the camera?', text, confirmLabel: 'Stop camera' }))) return;
    const title = running ? 'Start camera' : 'Stop camera';
    await this.#runExclusive(title, async () => {
      const answer = running
        ? await this.cell.connection.call(this.cell.name('camera/start'), 'std_srvs/srv/Trigger', {}, DEADLINE_MS)
        : await this.cell.connection.call(this.cell.name('camera/stop'), 'std_srvs/srv/Trigger', {}, DEADLINE_MS);
      this.cell.notify(answer.success ? 'done' : 'error', title, answer.message || (answer.success ? 'Done.' : 'The camera refused.'));
    });
  }

  async startWeighJob(body: Body<Services['cell_interfaces/srv/StartWeighJob']['request']>): Promise<boolean> {
    return this.#callAndReport('Start weigh job', 'weighing/start_job', 'cell_interfaces/srv/StartWeighJob', body);
  }

  async endWeighJob(station: string): Promise<void> {
    const text = `Station ${station}. Bags weighed so far stay on record.`;
    if (!(await this.ask({ title: 'End the weigh job early?', text, confirmLabel: 'End weigh job' }))) return;
    await this.#callAndReport('End weigh job', 'weighing/end_job', 'cell_interfaces/srv/EndWeighJob', { station, reason: 'ended on the page' });
  }

  async acknowledge(alarm_id: string): Promise<void> {
    await this.#callAndReport('Acknowledge', 'alarms/acknowledge', 'cell_interfaces/srv/HandleAlarm', { alarm_id, shelve_for: { sec: 0, nanosec: 0 } });
  }

  /** Hide an alarm for a while; 0 minutes = show it again. */
  async shelve(alarm_id: string, minutes: number): Promise<void> {
    const title = minutes > 0 ? 'Shelve' : 'Show again';
    const done = await this.#callAndReport(title, 'alarms/shelve', 'cell_interfaces/srv/HandleAlarm', { alarm_id, shelve_for: { sec: minutes * 60, nanosec: 0 } });
    if (done && minutes > 0) this.cell.notify('done', title, 'The alarm is hidden.', { label: 'Undo', run: () => void this.shelve(alarm_id, 0) });
  }

  async reopenWeighJob(weigh_job_id: number, station: string, quantity: number, reason: string): Promise<boolean> {
    return this.#callAndReport('Reopen weigh job', 'weighing/reopen_job', 'cell_interfaces/srv/ReopenWeighJob', { weigh_job_id, station, quantity, reason });
  }

  async voidBag(bag_id: number, reason: string): Promise<boolean> {
    return this.#callAndReport('Void bag', 'weighing/void_bag', 'cell_interfaces/srv/VoidBag', { bag_id, reason });
  }

  async undoVoid(bag_id: number, reason: string): Promise<boolean> {
    return this.#callAndReport('Undo void', 'weighing/undo_void', 'cell_interfaces/srv/UndoVoid', { bag_id, reason });
  }

  /** Resend a rejected bag; 0 = resend all of them and resume a paused delivery. */
  async resend(bag_id: number): Promise<void> {
    await this.#callAndReport('Resend', 'weighing/retry', 'cell_interfaces/srv/RetryDelivery', { bag_id });
  }

  /** Save a correction: the image of the reading is kept as a test sample with this part number. */
  async correct(match: MatchResult, part_number: string, of?: { job_id: string; piece: number }): Promise<boolean> {
    const verdict = `${verdictLabel(match.verdict).text} ${match.part_number}`.trim();
    const capture = of ?? this.cell.captures.find((known) => known.match.request_id === match.request_id);
    const kept = await this.#callAndReport('Correction', 'ocr/keep_frame', 'cell_interfaces/srv/KeepFrame', {
      request_id: match.request_id, kind: KeepFrame_Request.CORRECTION, part_number, verdict, job_id: capture?.job_id ?? '', piece: capture?.piece ?? 0 });
    if (kept) this.corrections = { ...this.corrections, [match.request_id]: part_number };
    return kept;
  }

  /** Return the latest benchmark of every part, or all versions of one part; an error message on failure. */
  async benchmarks(part_number = ''): Promise<BenchmarkSet[] | string> {
    try {
      const answer = await this.cell.connection.call(this.cell.name('matching/benchmarks'), 'cell_interfaces/srv/GetBenchmarks', { part_number }, DEADLINE_MS);
      return answer.code === ResultCode.OK ? answer.benchmarks : answer.message;
    } catch (error) {
      return errorText(error);
    }
  }

  /** Open the recovery dialog; nothing is sent before the operator confirms that the area is clear. */
  askRecovery(): void {
    if (this.recovery?.phase !== 'running') this.recovery = { phase: 'asking', steps: [], count: 0, message: '' };
  }

  closeRecovery(): void {
    this.recovery = null;
  }

  /** Recover the robot after the confirmation, and show each step. */
  async recoverRobot(): Promise<void> {
    await this.#runExclusive('Recover robot', async () => {
      this.recovery = { phase: 'running', steps: [], count: 0, message: '' };
      try {
        const result = await this.#sendGoal('robot/recover', 'cell_interfaces/action/RecoverRobot', { area_is_clear: true }, RECOVERY_MS, (feedback) => {
          const before = this.recovery?.phase === 'running' ? this.recovery : null;
          if (before) this.recovery = { ...before, steps: [...before.steps.slice(0, Math.max(0, feedback.number - 1)), feedback.step], count: feedback.count };
        });
        const good = result.code === ResultCode.OK;
        this.#finishRecovery(good, good ? result.message : `${result.message} (${codeName(result.code)})`);
      } catch (error) {
        this.#finishRecovery(false, errorText(error));
      }
    });
    if (this.recovery?.phase === 'asking') this.recovery = null; // not started; the toast says why
  }

  #finishRecovery(good: boolean, message: string): void {
    this.recovery = { steps: [], count: 0, ...this.recovery, phase: good ? 'done' : 'failed', message };
  }

  /** Stop the robot program and pause the pick job. Works without a confirmation and with stale data. */
  async stopCell(): Promise<void> {
    const stop = this.#call('robot/stop', 'cell_interfaces/srv/RobotCommand', {});
    const pause = this.#call('control_job', 'cell_interfaces/srv/ControlJob', { action: ControlJob_Request.PAUSE });
    const [robot, job] = await Promise.allSettled([stop, pause]);
    const robotResult = stopOutcome(robot, 'stop requested.');
    const jobResult = stopOutcome(job, 'pause requested.', [ResultCode.NO_JOB, ResultCode.WRONG_STATE]);
    const good = robotResult.good && jobResult.good;
    this.cell.notify(good ? 'done' : 'error', 'Stop cell', `Robot: ${robotResult.text} Job: ${jobResult.text}`);
  }

  /** Run the pre-flight checks and ask for confirmation; while a check fails, offer only to check again. */
  async #confirmStart(what: string): Promise<boolean> {
    for (;;) {
      let found: { checks: PreflightCheck[]; error: string } | null = null;
      await this.#runExclusive('Start job', async () => {
        found = await this.#preflight();
      });
      if (!found) return false;
      const { checks, error } = found as { checks: PreflightCheck[]; error: string };
      if (!error) return this.ask({ title: 'Start picking?', text: what, confirmLabel: 'Start', moves: true, checks });
      if (!(await this.ask({ title: 'Robot not ready', text: error, confirmLabel: 'Check again', checks }))) return false;
    }
  }

  async #preflight(): Promise<{ checks: PreflightCheck[]; error: string }> {
    const answer = await this.cell.connection.call(this.cell.name('robot/preflight'), 'cell_interfaces/srv/RobotPreflight', {}, DEADLINE_MS);
    return { checks: answer.checks ?? [], error: answer.code === ResultCode.OK ? '' : answer.message || codeName(answer.code) };
  }

  /** Send the goal and wait until the job topic shows the start; the job then runs without this page. */
  async #runJob(job_id: string): Promise<void> {
    let ended = false;
    const goal = this.#sendGoal('run_job', 'cell_interfaces/action/RunJob', { job_id, part_number: '', quantity: 0 }, 0);
    const result = goal.then((value) => ({ value })).finally(() => (ended = true));
    const begun = this.#waitUntilStarted(job_id, () => ended).then((seen) => ({ seen }));
    const first = await Promise.race([result, begun]);
    if ('value' in first) {
      this.#reportFailure('Start job', first.value);
      return;
    }
    result.catch(() => undefined); // the connection may be lost while the job runs
    if (!first.seen && !ended) this.cell.notify('error', 'Start job', 'The cell did not confirm the start. Check the job before you start it again.');
  }

  async #waitUntilStarted(job_id: string, ended: () => boolean): Promise<boolean> {
    const end = performance.now() + START_CONFIRM_MS;
    while (performance.now() < end && !ended()) {
      const job = this.cell.job;
      if (job?.job_id === job_id && job.state !== JobState.READY && job.state !== JobState.NONE) return true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return ended();
  }

  async #callAndReport<T extends keyof Services>(title: string, name: string, type: T, body: Body<Services[T]['request']>,
    deadlineMs = DEADLINE_MS): Promise<boolean> {
    let good = false;
    await this.#runExclusive(title, async () => {
      const answer = await this.#call(name, type, body, deadlineMs);
      good = !this.#reportFailure(title, answer);
      if (good) this.cell.notify('done', title, answer.message || 'Done.');
    });
    return good;
  }

  /** Run one command at a time; show a toast when it fails. */
  async #runExclusive(title: string, work: () => Promise<void>): Promise<void> {
    if (!this.cell.operator && !this.cell.blocked && !(await this.askName())) {
      this.cell.notify('error', title, 'Not sent: enter your name first.');
      return;
    }
    const error = this.busy ? 'Another command is in progress.' : this.cell.blocked;
    if (error) {
      this.cell.notify('error', title, error);
      return;
    }
    this.busy = true;
    try {
      await work();
    } catch (error) {
      this.cell.notify('error', title, errorText(error));
    } finally {
      this.busy = false;
    }
  }

  #call<T extends keyof Services>(name: string, type: T, body: Body<Services[T]['request']>,
    deadlineMs = DEADLINE_MS): Promise<Services[T]['response'] & ServiceResult> {
    const request = { command: this.cell.command(), ...body } as Services[T]['request'];
    return this.cell.connection.call(this.cell.name(name), type, request, deadlineMs) as Promise<Services[T]['response'] & ServiceResult>;
  }

  #sendGoal<T extends keyof Actions>(name: string, type: T, body: Body<Actions[T]['goal']>, deadlineMs: number,
    onFeedback?: (feedback: Actions[T]['feedback']) => void): Promise<Actions[T]['result'] & ServiceResult> {
    const goal = { command: this.cell.command(), ...body } as Actions[T]['goal'];
    return this.cell.connection.goal(this.cell.name(name), type, goal, deadlineMs, onFeedback) as Promise<Actions[T]['result'] & ServiceResult>;
  }

  #reportFailure(title: string, answer: ServiceResult): boolean {
    if (answer.code === ResultCode.OK) return false;
    this.cell.notify('error', title, `${answer.message} (${codeName(answer.code)})`);
    return true;
  }
}
