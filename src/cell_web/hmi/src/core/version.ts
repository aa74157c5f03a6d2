/**
 * Whether the gateway serves another version of the page than this one: it was updated while this page stayed open on a tablet.
 *
 * The file names of a build contain the hash of its content, and index.html names the first one.
 */
export async function isOutdated(): Promise<boolean> {
  const script = document.querySelector('script[src]')?.getAttribute('src');
  if (!script) return false;
  try {
    const response = await fetch('./', { cache: 'no-cache' });
    return response.ok && !(await response.text()).includes(script);
  } catch {
    return false;
  }
}
