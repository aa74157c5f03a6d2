/** What this tablet remembers between visits; a browser may forbid that, then nothing is remembered. */
export const memory = {
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
      // Private browsing: the value lasts as long as the page.
    }
  },
};
