/** Settings in localStorage. A browser may forbid access; then reads return "" and writes do nothing. */
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
