// Writes src/generated/messages.ts from the .msg, .srv and .action files of cell_interfaces: types as they come through
// rosbridge's JSON, named constants, and the meaning of each constant. Run by `npm run build`; the result is not committed,
// so the page cannot drift from the interfaces.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

const PACKAGE = 'cell_interfaces';
const PRIMITIVES = {
  bool: 'boolean', string: 'string', wstring: 'string', byte: 'number', char: 'number',
  int8: 'number', uint8: 'number', int16: 'number', uint16: 'number', int32: 'number', uint32: 'number',
  int64: 'number', uint64: 'number',
  float32: 'number | null', float64: 'number | null', // rosbridge writes NaN and infinity as null
};
const FOREIGN = {
  'builtin_interfaces/Time': 'Stamp',
  'builtin_interfaces/Duration': 'Stamp',
  'std_msgs/Header': 'Header',
  'geometry_msgs/Point32': 'Point32',
  'sensor_msgs/CompressedImage': 'CompressedImage',
};
const PRELUDE = `export interface Stamp { sec: number; nanosec: number }
export interface Header { stamp: Stamp; frame_id: string }
export interface Point32 { x: number | null; y: number | null; z: number | null }
export interface CompressedImage { header: Header; format: string; data: string }
/** A named constant: its name in the interface file and what its comment says. */
export interface Meaning { name: string; text: string }
`;
const LINE = /^(?<type>[\w/]+(?:<=\d+)?)(?<array>\[[<=\d]*\])?\s+(?<name>\w+)\s*(?:=\s*(?<value>[^#]+?))?\s*(?:#\s*(?<comment>.*))?$/;

/** Return the fields and constants of one section of an interface file. */
export function parse(text) {
  const fields = [];
  let constants = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (!line || line.startsWith('#')) continue;
    const found = LINE.exec(line)?.groups;
    if (!found) throw new Error(`cannot read interface line: ${line}`);
    const { type, array, name, value, comment = '' } = found;
    if (value !== undefined) {
      constants.push({ name, type, comment, value: type === 'string' ? JSON.stringify(value.replace(/^["']|["']$/g, '')) : value });
      continue;
    }
    // Constants belong to the field that follows them, as far as the type is the same.
    const own = constants.filter((constant) => constant.type === type);
    fields.push({ name, type, array, comment, constants: own });
    constants = constants.filter((constant) => constant.type !== type);
  }
  return { fields, loose: constants };
}

/** Return the TypeScript type of a field as rosbridge writes it. */
export function typeOf({ type, array }) {
  const bare = type.replace(/<=\d+$/, '');
  if (array && (bare === 'uint8' || bare === 'char')) return 'string'; // base64
  const single = PRIMITIVES[bare] ?? FOREIGN[bare] ?? (/^\w+$/.test(bare) ? bare : undefined);
  if (!single) throw new Error(`no TypeScript type for ${type}`);
  if (!array) return single;
  return single.includes('|') ? `(${single})[]` : `${single}[]`;
}

/** Return the TypeScript of one message, request or response. */
export function emit(name, { fields, loose }) {
  const out = [`export interface ${name} {`];
  for (const field of fields) {
    if (field.comment) out.push(`  /** ${field.comment.replaceAll('*/', '* /')} */`);
    out.push(`  ${field.name}: ${typeOf(field)};`);
  }
  out.push('}');
  const constants = [...fields.flatMap((field) => field.constants), ...loose];
  if (constants.length === 0) return out.join('\n');
  out.push(`export const ${name} = {`, ...constants.map((c) => `  /** ${c.comment.replaceAll('*/', '* /')} */\n  ${c.name}: ${c.value},`), '} as const;');
  const groups = fields.filter((field) => field.constants.length > 0).map((field) => [field.name, field.constants]);
  if (loose.length > 0) groups.push(['code', loose]);
  out.push(`export const ${name}Meanings = {`);
  for (const [field, members] of groups) {
    const entries = members.map((c) => `    ${Number(c.value) < 0 ? `'${c.value}'` : c.value}: { name: '${c.name}', text: ${JSON.stringify(c.comment)} },`);
    out.push(`  ${field}: {`, ...entries, '  } as Record<number, Meaning>,');
  }
  out.push('};');
  return out.join('\n');
}

/** Return the whole module for a folder that holds msg/, srv/ and action/. */
export function generate(folder) {
  const out = ['// Generated from the interface files by scripts/generate_messages.mjs. Not committed.', PRELUDE];
  const tables = { msg: [], srv: [], action: [] };
  const names = { msg: [''], srv: ['_Request', '_Response'], action: ['_Goal', '_Result', '_Feedback'] };
  for (const kind of Object.keys(tables)) {
    for (const file of readdirSync(join(folder, kind)).filter((f) => f.endsWith(`.${kind}`)).sort()) {
      const name = basename(file, `.${kind}`);
      const sections = readFileSync(join(folder, kind, file), 'utf8').split(/^---$/m);
      if (sections.length !== names[kind].length) throw new Error(`${file}: ${sections.length} sections`);
      sections.forEach((section, index) => out.push(emit(name + names[kind][index], parse(section))));
      tables[kind].push(name);
    }
  }
  out.push('export interface Messages {', ...tables.msg.map((n) => `  '${PACKAGE}/msg/${n}': ${n};`), "  'std_msgs/msg/String': { data: string };", '}');
  out.push('export interface Services {', ...tables.srv.map((n) => `  '${PACKAGE}/srv/${n}': { request: ${n}_Request; response: ${n}_Response };`),
    "  'std_srvs/srv/Trigger': { request: Record<string, never>; response: { success: boolean; message: string } };", '}');
  out.push('export interface Actions {', ...tables.action.map((n) => `  '${PACKAGE}/action/${n}': { goal: ${n}_Goal; result: ${n}_Result; feedback: ${n}_Feedback };`), '}');
  return out.join('\n') + '\n';
}

if (process.argv[1] === import.meta.filename) {
  const target = resolve(import.meta.dirname, '../src/generated/messages.ts');
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, generate(resolve(import.meta.dirname, '../../../cell_interfaces')));
}
