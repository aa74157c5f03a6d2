import { describe, expect, it } from 'vitest';
import { generate, parse, typeOf } from '../scripts/generate_messages.mjs';

describe('generated messages', () => {
  it('give constants to the field that follows them', () => {
    const { fields, loose } = parse('uint8 OK=0   # fine\nuint8 BAD=1\nuint8 level\nstring name  # who\nuint8 level2\n');
    expect(fields.map((field) => [field.name, field.constants.map((constant) => constant.name)])).toEqual([['level', ['OK', 'BAD']], ['name', []], ['level2', []]]);
    expect(loose).toEqual([]);
  });

  it('have the types of rosbridge JSON', () => {
    expect(typeOf({ type: 'uint8', array: '[]' })).toBe('string');
    expect(typeOf({ type: 'float32' })).toBe('number | null');
    expect(typeOf({ type: 'PartStock', array: '[]' })).toBe('PartStock[]');
    expect(() => typeOf({ type: 'unknown_msgs/Thing' })).toThrow('unknown_msgs/Thing');
  });

  it('cover every interface and its constants', () => {
    const text = generate(new URL('../../../cell_interfaces', import.meta.url).pathname);
    expect(text).toContain("'cell_interfaces/action/RunJob'");
    expect(text).toContain("202: { name: 'ROBOT_OUTCOME_UNKNOWN'");
    expect(text).toContain('WAITING_RELOAD: 4');
    expect(text).toContain("'-2': { name: 'MODE_UNKNOWN'");
  });

  it('reject a line that cannot be parsed', () => {
    expect(() => parse('uint8')).toThrow('cannot read');
  });
});
