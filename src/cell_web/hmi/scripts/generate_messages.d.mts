export interface Constant { name: string; type: string; comment: string; value: string }
export interface Field { name: string; type: string; array?: string; comment: string; constants: Constant[] }
export function parse(text: string): { fields: Field[]; loose: Constant[] };
export function typeOf(field: { type: string; array?: string }): string;
export function generate(folder: string): string;
