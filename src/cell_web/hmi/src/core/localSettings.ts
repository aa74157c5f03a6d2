/**
 * Settings in localStorage, for this browser only. A browser may forbid access; then reads return "" and writes do nothing.
 * Nothing that the cell depends on is stored here.
 */
export const localSettings = {
  get(key: string): string {
    try {
      return localStorage.getItem(`cell.${key}`) ?? '';
    } catch {
      return '';
    }
  },
  set(key: string, value: string): void {
    try {
      localStorage.setItem(`cell.${key}`, value);
    } catch {
      // Storage forbidden, e.g. in private browsing.
    }
  },
};
