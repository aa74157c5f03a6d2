// Labels of states: always a shape and a text; color only for abnormal states (see STYLE.md).
import {
  Alarm, BagRecord, JobState, JobStateMeanings, MatchResult, MatchResultMeanings, ResultCodeMeanings, RobotState, RobotStateMeanings,
  Subsystem, TrayStock, BagRecordMeanings, AlarmMeanings, SubsystemMeanings, DeliveryState, DeliveryStateMeanings, type PreflightCheck,
} from '../generated/messages';
import { constantLabel } from './format';
import { STOP_TEXTS } from './stopTexts';

/** Color of a label: `normal` and `muted` are gray; only abnormal states have a color. */
export type Tone = 'normal' | 'muted' | 'warn' | 'alarm';
export type Shape = 'ring' | 'dot' | 'check' | 'cross' | 'triangle' | 'diamond' | 'octagon' | 'question' | 'bars' | 'play' | 'half' | 'down' | 'down2' | 'up' | 'up2';
/** Shape, tone and text of a state. The shape alone must be distinguishable without colors. */
export interface StateLabel {
  shape: Shape;
  tone: Tone;
  text: string;
}

const makeLabel = (shape: Shape, tone: Tone, text: string): StateLabel => ({ shape, tone, text });
// A value without an entry is shown as a question: a newer node may know states that this page does not.
const labelFor = (looks: Record<number, [Shape, Tone]>, value: number, text: string): StateLabel => makeLabel(...(looks[value] ?? ['question', 'warn']), text);

/** Return the label of a result code: "OK", "NOT ENOUGH STOCK", ... */
export const codeName = (code: number): string => constantLabel(ResultCodeMeanings.code[code]?.name ?? `CODE ${code}`);

export const subsystemLabel = (level: number): StateLabel => labelFor({
  [Subsystem.OK]: ['check', 'muted'], [Subsystem.WARN]: ['triangle', 'warn'],
  [Subsystem.ERROR]: ['cross', 'alarm'], [Subsystem.STALE]: ['question', 'alarm'],
}, level, constantLabel(SubsystemMeanings.level[level]?.name));

export const jobLabel = (state: number): StateLabel => labelFor({
  [JobState.NONE]: ['ring', 'muted'], [JobState.READY]: ['ring', 'normal'], [JobState.RUNNING]: ['play', 'normal'],
  [JobState.PAUSED]: ['bars', 'warn'], [JobState.WAITING_RELOAD]: ['triangle', 'warn'], [JobState.DONE]: ['check', 'normal'],
  [JobState.CANCELLED]: ['cross', 'muted'], [JobState.FAILED]: ['cross', 'alarm'],
}, state, constantLabel(JobStateMeanings.state[state]?.name));

export const stepText = (step: number): string => constantLabel(JobStateMeanings.step[step]?.name, 'STEP_').toLowerCase();

export const verdictLabel = (verdict: number): StateLabel => labelFor({
  [MatchResult.MATCH]: ['check', 'normal'], [MatchResult.MISMATCH]: ['cross', 'alarm'], [MatchResult.AMBIGUOUS]: ['half', 'warn'],
  [MatchResult.UNREADABLE]: ['question', 'warn'], [MatchResult.UNKNOWN]: ['diamond', 'warn'],
}, verdict, constantLabel(MatchResultMeanings.verdict[verdict]?.name));

export const decidedBy = (value: number): string => constantLabel(MatchResultMeanings.decided_by[value]?.name, 'BY_').toLowerCase();

export const bagLabel = (outcome: number): StateLabel => labelFor({
  [BagRecord.IN_TOLERANCE]: ['check', 'muted'], [BagRecord.UNDER]: ['triangle', 'alarm'], [BagRecord.OVER]: ['triangle', 'alarm'],
  [BagRecord.NO_ACTIVE_JOB]: ['question', 'warn'],
}, outcome, outcome === BagRecord.IN_TOLERANCE ? 'OK' : constantLabel(BagRecordMeanings.outcome[outcome]?.name));

/** Label of a weight zone: five zones, each with a word and a shape that shows the direction; the outer four are colored. */
export const zoneLabel = (zone: number): StateLabel => {
  const text = { [BagRecord.ZONE_REJECT_UNDER]: 'TOO LIGHT', [BagRecord.ZONE_WARN_UNDER]: 'LIGHT', [BagRecord.ZONE_OK]: 'OK',
    [BagRecord.ZONE_WARN_OVER]: 'HEAVY', [BagRecord.ZONE_REJECT_OVER]: 'TOO HEAVY' }[zone];
  return labelFor({
    [BagRecord.ZONE_REJECT_UNDER]: ['down2', 'alarm'], [BagRecord.ZONE_WARN_UNDER]: ['down', 'warn'], [BagRecord.ZONE_OK]: ['check', 'muted'],
    [BagRecord.ZONE_WARN_OVER]: ['up', 'warn'], [BagRecord.ZONE_REJECT_OVER]: ['up2', 'alarm'],
  }, zone, text ?? constantLabel(BagRecordMeanings.zone[zone]?.name, 'ZONE_'));
};

/** Label of a bag: VOIDED, its weight zone, or its outcome when there is no zone. */
export const bagVerdict = (bag: BagRecord): StateLabel =>
  bag.voided ? makeLabel('ring', 'muted', 'VOIDED') : bag.zone === BagRecord.ZONE_NONE ? bagLabel(bag.outcome) : zoneLabel(bag.zone);

export const deliveryLabel = (state: number): StateLabel => labelFor({
  [DeliveryState.OFF]: ['ring', 'muted'], [DeliveryState.UP]: ['check', 'muted'], [DeliveryState.RETRYING]: ['triangle', 'warn'],
  [DeliveryState.PAUSED]: ['bars', 'alarm'],
}, state, constantLabel(DeliveryStateMeanings.state[state]?.name));

/** Label of one pre-flight check. */
export const checkLabel = (check: PreflightCheck): StateLabel => check.ok ? makeLabel('check', 'muted', check.name) : makeLabel('cross', 'alarm', check.name);

/** Label of a tray that is low or empty; null otherwise. An empty tray is no alarm while other trays hold pieces. */
export const trayLabel = (state: number): StateLabel | null => state === TrayStock.EMPTY ? makeLabel('octagon', 'warn', 'empty')
  : state === TrayStock.LOW ? makeLabel('triangle', 'normal', 'low') : null;

/** Label of a notice. */
export const toastLabel = ({ kind, title }: { kind: 'error' | 'done'; title: string }): StateLabel =>
  kind === 'error' ? makeLabel('cross', 'alarm', title) : makeLabel('check', 'normal', title);

const REJECT_KEY = 'part_rejected/';

/** Whether an alarm reports a rejected piece that no operator has acknowledged. */
export const isOpenReject = (alarm: Alarm): boolean =>
  alarm.key.startsWith(REJECT_KEY) && (alarm.state === Alarm.UNACKNOWLEDGED || alarm.state === Alarm.RETURNED);

/** Return the request id of the reading of a rejected piece, from the key "part_rejected/<piece>/<request id>"; "" without one. */
export const rejectedReading = (key: string): string => (key.startsWith(REJECT_KEY) ? (key.split('/')[2] ?? '') : '');

/** Return the tray to preselect for a reload: the emptiest one that is empty or low; null when none is. */
export function trayToReload(trays: TrayStock[]): number | null {
  const low = trays.filter((tray) => tray.state === TrayStock.EMPTY || tray.state === TrayStock.LOW);
  return low.reduce<TrayStock | null>((a, b) => (a && a.count <= b.count ? a : b), null)?.tray ?? null;
}

export const alarmLabel = (priority: number): StateLabel => labelFor({
  [Alarm.LOW]: ['ring', 'normal'], [Alarm.MEDIUM]: ['diamond', 'warn'], [Alarm.HIGH]: ['triangle', 'alarm'],
  [Alarm.CRITICAL]: ['octagon', 'alarm'],
}, priority, constantLabel(AlarmMeanings.priority[priority]?.name));

export const alarmState = (state: number): string => ({
  [Alarm.UNACKNOWLEDGED]: 'active, unacknowledged', [Alarm.ACKNOWLEDGED]: 'active, acknowledged', [Alarm.RETURNED]: 'cleared, unacknowledged',
  [Alarm.SHELVED]: 'shelved',
})[state] ?? constantLabel(AlarmMeanings.state[state]?.name);

/** Label of the robot safety state. */
export function safetyLabel(robot: RobotState): StateLabel {
  const text = constantLabel(RobotStateMeanings.safety_mode[robot.safety_mode]?.name, 'SAFETY_');
  if (!robot.connected) return makeLabel('question', 'warn', 'NO DATA');
  if (robot.safety_mode === RobotState.SAFETY_UNKNOWN) return makeLabel('ring', 'muted', 'NOT REPORTED');
  if (robot.safety_mode === RobotState.SAFETY_NORMAL) return makeLabel('check', 'muted', text);
  return makeLabel('octagon', robot.safety_mode === RobotState.SAFETY_REDUCED ? 'warn' : 'alarm', text);
}

/** Label of the robot connection and mode. */
export function robotLabel(robot: RobotState): StateLabel {
  if (!robot.connected) return makeLabel('cross', 'alarm', 'NOT CONNECTED');
  const mode = robot.robot_mode;
  if (mode === RobotState.MODE_UNKNOWN) return makeLabel('check', 'muted', 'CONNECTED');
  const text = constantLabel(RobotStateMeanings.robot_mode[mode]?.name, 'MODE_');
  return mode === RobotState.MODE_RUNNING ? makeLabel('check', 'muted', text) : makeLabel('triangle', 'warn', text);
}

const NO_STOP: number[] = [RobotState.SAFETY_UNKNOWN, RobotState.SAFETY_NORMAL, RobotState.SAFETY_REDUCED];

/** Text of a safety stop, for a robot node that sends none. */
function stopText(mode: number): string {
  if (NO_STOP.includes(mode)) return '';
  const name = RobotStateMeanings.safety_mode[mode]?.name.replace('SAFETY_', '') ?? 'OTHER';
  return STOP_TEXTS[name] ?? STOP_TEXTS.OTHER ?? '';
}

/** Message that explains why the robot is not ready and what to do; "" when it is ready. */
export function robotMessage(robot: RobotState): string {
  if (!robot.connected) return robot.message || 'Robot not connected. Check that it is on and its program is running.';
  return robot.message || stopText(robot.safety_mode);
}

/** Whether a recovery can help: connected, and stopped or not powered. */
export function canRecover(robot: RobotState): boolean {
  const halted: number[] = [RobotState.PROGRAM_PAUSED, RobotState.PROGRAM_STOPPED];
  const off: number[] = [RobotState.MODE_POWER_OFF, RobotState.MODE_POWER_ON, RobotState.MODE_IDLE];
  if (!robot.connected) return false;
  // An idle robot has no running program either: only with a message is there something to recover.
  const stopped = halted.includes(robot.program_state) && robot.message !== '';
  return stopped || isTriggerUnknown(robot) || off.includes(robot.robot_mode) || robot.safety_mode === RobotState.SAFETY_PROTECTIVE_STOP;
}

export const programText = (state: number): string => constantLabel(RobotStateMeanings.program_state[state]?.name, 'PROGRAM_').toLowerCase();
export const triggerText = (state: number): string => constantLabel(RobotStateMeanings.last_trigger_state[state]?.name, 'TRIGGER_').toLowerCase();
export const isTriggerUnknown = (robot: RobotState): boolean => robot.last_trigger_state === RobotState.TRIGGER_UNKNOWN;
