import { describe, expect, it } from 'vitest';
import { ResultCode } from '../src/generated/messages';
import { NOW, SESSION, answers, begin, calls, cell, commands, rosbridge, stop } from './commands_rig';
import { until, type Message } from './fake_rosbridge';

describe('what the old page could do', () => {
  const asked = (service: string): Message[] => calls(`/cell/${service}`);

  async function decide(work: Promise<unknown>, yes: boolean): Promise<void> {
    await until(() => commands.question);
    commands.answer(yes);
    await work;
  }

  it.each([
    ['set_benchmark', () => commands.setBenchmark('P'), { part_number: 'P' }, true],
    ['start_robot', () => commands.startProgram(), {}, true],
    ['inventory/reset', () => commands.resetStock(), { part_number: '' }, false],
    ['inventory/undo', () => commands.undoStock(), { sequence: 0 }, false],
  ] as const)('%s is sent after a yes and not after a no', async (service, work, args, moves) => {
    await begin();
    await decide(work(), false);
    expect(asked(service)).toEqual([]);
    const done = work();
    await until(() => commands.question);
    expect(commands.question?.moves ?? false).toBe(moves);
    commands.answer(true);
    await done;
    expect(asked(service)[0]?.args).toMatchObject({ ...args, command: { operator_id: 'Ada' } });
    expect(cell.toasts.at(-1)?.kind).toBe('done');
  });

  it('starts the camera directly and stops it after a question', async () => {
    await begin();
    answers['/cell/camera/start'] = { success: true, message: 'started' };
    answers['/cell/camera/stop'] = { success: false, message: 'held' };
    await commands.setCamera(true);
    expect(cell.toasts.at(-1)).toMatchObject({ kind: 'done', text: 'started' });
    await decide(commands.setCamera(false), false);
    expect(asked('camera/stop')).toEqual([]);
    await decide(commands.setCamera(false), true);
    expect(cell.toasts.at(-1)).toMatchObject({ kind: 'error', text: 'held' });
  });

  it('adjusts a tray with a reason, captures a component, and shows a refusal', async () => {
    await begin();
    expect(await commands.adjust('P', 2, 7, 'counted')).toBe(true);
    expect(asked('inventory/adjust')[0]?.args).toMatchObject({ part_number: 'P', tray: 2, count: 7, reason: 'counted' });
    answers['/cell/capture_component'] = { code: ResultCode.INVALID_ARGUMENT, message: 'no frame' };
    await commands.captureComponent('P');
    expect(cell.toasts.at(-1)?.text).toContain('no frame');
  });

  it('lets a viewer do none of it', async () => {
    await begin({ ...SESSION, role: 'viewer' });
    expect(await commands.adjust('P', 2, 7, 'counted')).toBe(false);
    await commands.captureComponent('P');
    expect(rosbridge.ops('call_service')).toEqual([]);
  });

  it('shows the events, and an old latched benchmark without a toast', async () => {
    await begin();
    const benchmark = (sec: number): void => rosbridge.publish('/cell/benchmark_set', { stamp: { sec, nanosec: 0 }, part_number: 'P', version: 2, texts: ['P', 'Q'] });
    benchmark(NOW - 3_600);
    await until(() => cell.benchmark);
    expect(cell.toasts).toEqual([]);
    benchmark(NOW);
    rosbridge.publish('/cell/job_invalid', { message: 'order fewer.', part_number: 'P', requested: 9, available: 5 });
    rosbridge.publish('/cell/reload_required', { part_number: 'P', trays: btoa('\x01\x03'), missing: 2 });
    await until(() => cell.toasts.length === 3);
    const texts = cell.toasts.map((toast) => toast.text).join('\n');
    for (const part of ['version 2: P · Q', 'Ordered: 9, in the trays: 5', 'Fill tray 1, 3']) expect(texts).toContain(part);
  });
});
