import { describe, expect, it } from 'vitest';
import { age, band, seconds, since, spoken } from '../src/core/format';
import {
  alarmLook, alarmState, bagLook, bagVerdict, codeName, deliveryLook, jobLook, recoverable, robotLook, robotTrouble, safetyLook, stepText,
  subsystemLook, trayLook, verdictLook, zoneLook, type Look,
} from '../src/core/texts';
import {
  AlarmMeanings, BagRecord, BagRecordMeanings, DeliveryStateMeanings, JobStateMeanings, MatchResultMeanings, RobotState, RobotStateMeanings,
  SubsystemMeanings, type Meaning,
} from '../src/generated/messages';

describe('ages', () => {
  it('are short and have a unit', () => {
    expect([0, 59_999, 60_000, 3_600_000, 90_000_000].map(age)).toEqual(['0 s', '59 s', '1 min', '1 h', '1 d']);
    expect(age(-5)).toBe('0 s');
  });

  it('that are not known are not invented', () => {
    expect([age(null), age(Infinity), since({ sec: 0, nanosec: 0 }, 5), since({ sec: 1, nanosec: 0 }, null)]).toEqual(Array(4).fill('no time'));
    expect(since({ sec: 1, nanosec: 0 }, 61_000)).toBe('1 min ago');
  });
});

describe('the weight bar', () => {
  it('has the target in the middle and the band at its limits', () => {
    expect(band('8', 'kg', '8.0', 'kg', '0.125')).toEqual({ value: 0.5, target: 0.5, low: 0.25, high: 0.75 });
  });

  it('converts units, and keeps what is far out at its ends', () => {
    expect(band('12500', 'g', '12.5', 'kg', '0.1')?.value).toBeCloseTo(0.5);
    expect(band('99', 'kg', '12.5', 'kg', '0.1')?.value).toBe(1);
    expect(band('0', 'kg', '12.5', 'kg', '0.1')?.value).toBe(0);
  });

  it('is not drawn without a target, a tolerance or a known unit', () => {
    expect([band('1', 'kg', '', '', '0.1'), band('1', 'kg', '1', 'kg', ''), band('1', 'stone', '1', 'kg', '0.1'), band('', 'kg', '0', 'kg', '0.1')]).toEqual(Array(4).fill(null));
  });
});

describe('looks', () => {
  const tables: [string, Record<number, Meaning>, (value: number) => Look][] = [
    ['job', JobStateMeanings.state!, jobLook], ['verdict', MatchResultMeanings.verdict!, verdictLook],
    ['alarm', AlarmMeanings.priority!, alarmLook], ['bag', BagRecordMeanings.outcome!, bagLook], ['zone', BagRecordMeanings.zone!, zoneLook],
    ['delivery', DeliveryStateMeanings.state!, deliveryLook],
    ['subsystem', SubsystemMeanings.level!, subsystemLook],
  ];

  it.each(tables)('of %s states have a text each that differs', (_name, meanings, look) => {
    const texts = Object.keys(meanings).map((value) => look(Number(value)).text);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.every(Boolean)).toBe(true);
  });

  it('that are coloured have a shape of their own, not the one of what is normal', () => {
    for (const [, meanings, look] of tables) {
      const looks = Object.keys(meanings).map((value) => look(Number(value)));
      const normal = new Set(looks.filter((entry) => entry.tone === 'normal' || entry.tone === 'muted').map((entry) => entry.shape));
      for (const entry of looks.filter(({ tone }) => tone === 'warn' || tone === 'alarm')) {
        expect(entry.shape === 'cross' || !normal.has(entry.shape)).toBe(true);
      }
    }
  });

  it('of a bag are its zone, void when it is taken back, and its outcome where there was nothing to compare with', () => {
    const bag = { voided: false, zone: BagRecord.ZONE_WARN_OVER, outcome: BagRecord.IN_TOLERANCE } as BagRecord;
    expect(bagVerdict(bag)).toEqual({ shape: 'up', tone: 'warn', text: 'HEAVY' });
    expect(bagVerdict({ ...bag, voided: true }).text).toBe('VOID');
    expect(bagVerdict({ ...bag, zone: BagRecord.ZONE_NONE, outcome: BagRecord.NO_ACTIVE_JOB }).text).toBe('NO ACTIVE JOB');
  });

  it('of the five zones have five shapes', () => {
    const zones = Object.keys(BagRecordMeanings.zone!).map(Number).filter((zone) => zone !== BagRecord.ZONE_NONE);
    expect(new Set(zones.map((zone) => zoneLook(zone).shape)).size).toBe(5);
  });

  it('of a robot that stopped say what to do, and offer a recovery only where it can be of use', () => {
    const robot = { connected: true, robot_mode: 7, safety_mode: RobotState.SAFETY_NORMAL, program_state: RobotState.PROGRAM_PLAYING, message: '' } as RobotState;
    expect([robotTrouble(robot), recoverable(robot)]).toEqual(['', false]);
    const stopped = { ...robot, safety_mode: RobotState.SAFETY_PROTECTIVE_STOP };
    expect([robotTrouble(stopped).includes('recover'), recoverable(stopped)]).toEqual([true, true]);
    expect(robotTrouble({ ...stopped, message: 'Joint 2 hit something.' })).toBe('Joint 2 hit something.');
    expect(recoverable({ ...stopped, connected: false })).toBe(false);
    expect(robotTrouble({ ...robot, safety_mode: RobotState.SAFETY_ROBOT_EMERGENCY_STOP })).toContain('this page cannot');
  });

  it('of a value that is not known yet are a question', () => {
    expect(jobLook(99)).toEqual({ shape: 'question', tone: 'warn', text: 'UNKNOWN' });
    expect([alarmState(99), stepText(99), codeName(9999), spoken(undefined)]).toEqual(['UNKNOWN', 'unknown', 'CODE 9999', 'UNKNOWN']);
  });

  it('of trays are marked only when low or empty', () => {
    expect([trayLook(0)?.text, trayLook(1)?.text, trayLook(2)]).toEqual(['empty', 'low', null]);
  });

  it('of the robot tell nothing when its link is down', () => {
    const robot = { connected: false, robot_mode: 7, safety_mode: 1 } as RobotState;
    expect([robotLook(robot).text, safetyLook(robot).text]).toEqual(['NOT CONNECTED', 'NO LINK']);
  });

  it('of safety are calm only when it is normal or not told', () => {
    for (const value of Object.keys(RobotStateMeanings.safety_mode!).map(Number)) {
      const tone = safetyLook({ connected: true, safety_mode: value } as RobotState).tone;
      expect(tone === 'muted').toBe(value === RobotState.SAFETY_UNKNOWN || value === RobotState.SAFETY_NORMAL);
    }
  });

  it('write durations with their unit, and none when there is none', () => {
    expect([seconds(0.3), seconds(0), seconds(null)]).toEqual(['0.30 s', '–', '–']);
  });
});
