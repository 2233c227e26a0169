/** What the address of a page says. */

/** Where the pages are served from: the folder of the start page, the parent folder of a session page. */
export function basePath(page: 'start' | 'session', address: string): URL {
  const base = new URL(page === 'start' ? './' : '../', address);
  base.hash = '';
  base.search = '';
  return base;
}

/** The session of `…/s/ID`. */
export function sessionId(address: string): string {
  const last = new URL(address).pathname.split('/').pop() ?? '';
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** The secret of a share link, `…/s/ID#share=SECRET`. */
export function shareSecret(hash: string): string | undefined {
  const secret = new URLSearchParams(hash.replace(/^#/, '')).get('share');
  return secret === null || secret === '' ? undefined : secret;
}

/** Why nobody was let in, of `…/#login=CODE`: where a sign-on leads that has failed. */
export function loginProblem(hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, '')).get('login') ?? undefined;
}

/** The launch secret of `…/#t=SECRET`. */
export function launchSecret(hash: string): string | undefined {
  const secret = new URLSearchParams(hash.replace(/^#/, '')).get('t');
  return secret === null || secret === '' ? undefined : secret;
}
