/** Every word that a person reads. */

import type { Ending, ShareLevel } from '../app/api';
import type { Notice } from '../app/session-model';
import type { Exit } from '../protocol';
import type { Closed, Status, WindowSize } from '../session';

const plural = (count: number, one: string, many: string) =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;

export function size({ cols, rows }: WindowSize): string {
  return `${cols}×${rows}`;
}

/** A size in the unit that people think in. */
export function bytes(count: number): string {
  if (count < 1_000) {
    return plural(count, 'byte', 'bytes');
  }
  const [value, unit] = count < 999_500 ? [count / 1_000, 'KB'] : [count / 1_000_000, 'MB'];
  return `${value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 })} ${unit}`;
}

/** How long ago `then` was, roughly. Both in milliseconds. */
export function age(then: number, now: number): string {
  const minutes = Math.floor((now - then) / 60_000);
  if (!Number.isFinite(minutes)) {
    return '';
  }
  if (minutes < 1) {
    return 'just now';
  }
  if (minutes < 60) {
    return `${minutes} min ago`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}

export function endingText(ending: Ending): string {
  switch (ending.kind) {
    case 'code':
      return `Exited with ${ending.code}`;
    case 'signal':
      return `Ended by signal ${ending.signal}`;
    case 'unknown':
      return 'Ended';
    case 'lost':
      return 'Lost';
  }
}

export const viewers = (count: number) => plural(count, 'viewer', 'viewers');

export const start = {
  heading: 'Sessions',
  tagline: 'Your shell, here.',
  newSession: 'New session',
  logOut: 'Log out',
  loggedInAs: (name: string) => `Logged in as ${name}`,
  opening: 'Opening…',
  emptyTitle: 'Nothing is running',
  emptyText: 'A session keeps running when you close its tab, and is here when you come back.',
  unauthenticatedTitle: 'This page needs a fresh link',
  unauthenticatedBefore: 'Run ',
  otherwiseBefore: 'Otherwise run ',
  unauthenticatedMiddle: ' again or ',
  unauthenticatedAfter: ' in a terminal on that machine, and open the address that it prints.',
  unreachable: 'The server does not answer. This list may be old; trying again.',
  closeTitle: (name: string) => `Close “${name}”?`,
  closeText: 'Its programs are told to hang up. This cannot be undone.',
  removeText: 'The program has ended already. Its last screen goes away.',
  closeYes: 'Close session',
  removeYes: 'Remove',
  closeNo: 'Keep it',
  open: 'Open',
  close: 'Close',
  closeLabel: (name: string) => `Close ${name}`,
  running: 'Running',
  unnamed: 'Session',
  dismiss: 'Dismiss',
};

export const session = {
  allSessions: 'All sessions',
  newSession: 'New session',
  closeSession: 'Close session…',
  share: 'Share…',
  copyLink: 'Copy link',
  search: 'Search…',
  searchKey: 'Ctrl+Shift+F',
  fontLarger: 'Larger text',
  fontSmaller: 'Smaller text',
  fontReset: 'Normal text size',
  theme: 'Theme',
  themes: { auto: 'System', dark: 'Dark', light: 'Light' },
  screenReader: 'Screen reader mode',
  menu: 'Menu',
  terminal: 'Terminal',
  viewOnly: 'view only',
  latency: (milliseconds: number) =>
    `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`,
  latencyTitle: 'Round trip between this page and the server',
  silent: (seconds: number) => `no answer for ${seconds} s`,
  sizeForeign: 'size follows the last typist:',
  sizeHint: "Click to use this window's size",
  sizeOwn: 'The size follows this window',
};

export const banner = {
  lost: 'Connection lost. The session goes on.',
  again: 'Reconnecting. The session goes on.',
  first: 'Connecting…',
  unreachable: 'The server does not answer yet.',
  countdown: (seconds: number) => `Next try in ${seconds} s`,
  retryNow: 'Retry now',
  kept: (count: number) => `${bytes(count)} of typing will be sent when it is back.`,
  drop: 'Drop it',
  unanswered: (count: number) =>
    `The server does not answer. ${bytes(count)} of typing will be sent again if it must.`,
  sending: (count: number) => `Sending the paste: ${bytes(count)} to go.`,
  stop: 'Stop',
  behind: 'Catching up…',
};

export const ended = {
  newSession: 'New session',
  allSessions: 'All sessions',
  reload: 'Reload',
  loginTitle: 'Your login has ended',
  linkBefore: 'Run ',
  linkMiddle: ' again or ',
  linkAfter: ' in a terminal on that machine, and open the address that it prints.',
  shareTitle: 'This link is not good any more',
  shareText: 'It has expired or was withdrawn. Whoever gave it to you can make a new one.',
  shareLoginTitle: 'This link is for people with an account',
  shareLoginText: 'Log in on the start page, then open the link again.',
  logIn: 'Log in',
};

/** A headline and a sentence about a connection that is closed for good. */
export function closedText(closed: Closed): { readonly title: string; readonly text: string } {
  switch (closed.kind) {
    case 'exited':
      return exitText(closed.exit);
    case 'session-closed':
      return {
        title: 'Session closed',
        text: `${closedBy(closed.message)} This was its last screen.`,
      };
    case 'session-not-found':
      return { title: 'No such session', text: 'It has ended, or the address is wrong.' };
    case 'unauthenticated':
      return { title: 'This page needs a fresh link', text: '' };
    case 'forbidden':
      return { title: 'Not allowed', text: closed.message || 'Your role does not allow this.' };
    case 'broken':
      return {
        title: 'This page and the server do not understand each other',
        text: `Reload the page. (${closed.message})`,
      };
  }
}

/** A session that the server closed by itself comes with a reason behind this word. */
const BY_ITSELF = 'closed: ';

function closedBy(message: string): string {
  return message.startsWith(BY_ITSELF)
    ? `The server closed it: ${message.slice(BY_ITSELF.length)}.`
    : 'Somebody closed it.';
}

function exitText(exit: Exit): { readonly title: string; readonly text: string } {
  switch (exit.kind) {
    case 'code':
      return { title: `Exited with status ${exit.code}`, text: 'This was its last screen.' };
    case 'signal':
      return { title: `Ended by ${exit.name}`, text: 'This was its last screen.' };
    case 'unknown':
      return { title: 'Ended', text: 'The exit status could not be learned.' };
    case 'lost':
      return {
        title: 'Session lost',
        text: 'The process that kept it has died, or could not hand it over.',
      };
  }
}

/** One word for the chip. */
export function phaseText(status: Status): string {
  switch (status.phase) {
    case 'connecting':
    case 'syncing':
      return status.attached ? 'reconnecting' : 'connecting';
    case 'live':
      return 'live';
    case 'behind':
      return 'catching up';
    case 'waiting':
      return 'offline';
    case 'suspended':
      return 'paused';
    case 'closed':
      return status.closed?.kind === 'exited' ? 'ended' : 'closed';
  }
}

export function noticeText(notice: Notice): string {
  switch (notice.kind) {
    case 'skipped':
      return `Skipped ${bytes(notice.bytes)} of output to catch up`;
    case 'copied':
      return 'Copied';
    case 'link-copied':
      return 'Link copied';
    case 'input-full':
      return 'Too much is waiting to be sent: this was not taken';
    case 'observer':
      return 'You can watch this session, not type in it';
    case 'problem':
      return notice.text;
  }
}

export const paste = {
  title: (lines: number) => `Paste ${plural(lines, 'line', 'lines')}?`,
  text: 'The program did not ask for pastes to be marked, so each line runs at once.',
  more: (lines: number) => `… and ${plural(lines, 'more line', 'more lines')}`,
  yes: 'Paste',
  no: 'Cancel',
};

export const search = {
  label: 'Search in the terminal',
  placeholder: 'Find',
  next: 'Next match',
  previous: 'Previous match',
  close: 'Close search',
  none: 'no match',
  results: (index: number, total: number) => `${index + 1} of ${total}`,
};

export const keyBar = {
  label: 'Extra keys',
  keys: {
    Escape: 'Esc',
    Tab: 'Tab',
    ArrowLeft: 'Left',
    ArrowDown: 'Down',
    ArrowUp: 'Up',
    ArrowRight: 'Right',
  },
  ctrl: 'Ctrl',
  alt: 'Alt',
};

export const login = {
  title: 'Log in',
  name: 'Name',
  password: 'Password',
  submit: 'Log in',
  busy: 'Logging in…',
  signOn: (provider: string) => `Log in with ${provider}`,
  or: 'or with a password',
};

/** Why a sign-on has failed, by the code in the address. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['oidc_stale', 'That took too long, or began in another tab. Try again.'],
  ['oidc_denied', 'The login was not completed.'],
  ['oidc_unavailable', 'The login service does not answer as it should. Try again in a moment.'],
  ['oidc_refused', 'The login service did not confirm who you are. Try again.'],
  [
    'oidc_not_allowed',
    'You are logged in there, but have no access here. Ask whoever runs this server.',
  ],
  ['oidc_name_taken', 'Your name belongs to another account here. Ask whoever runs this server.'],
  ['busy', 'Too many people are logging in at this moment. Try again.'],
  ['too_many_attempts', 'Too many attempts. Wait a moment, then try again.'],
]);

/** Whatever stands in the address, only known codes say something. */
export function refusedText(code: string): string {
  return REFUSALS.get(code) ?? 'The login failed. Try again.';
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export const share = {
  title: 'Share this session',
  done: 'Done',
  newLink: 'A new link',
  mayWhat: 'Whoever has it may',
  levels: { read: 'watch', write: 'type' },
  kinds: { read: 'can watch', write: 'can type' },
  ends: 'It ends after',
  lives: [
    [1, 'an hour'],
    [8, '8 hours'],
    [24, 'a day'],
    [168, 'a week'],
  ] as const,
  label: 'Call it',
  unnamed: 'A link',
  create: 'Make a link',
  address: 'Address of the new link',
  copy: 'Copy',
  links: 'Links',
  noLinks: 'None yet.',
  users: 'Users of this server',
  noUsers: 'None but you.',
  userForm: 'Let a user in',
  user: 'Name of the user',
  may: 'May',
  userAdd: 'Let in',
  removeUser: 'Remove',
  removeUserLabel: (name: string) => `Remove ${name}`,
  setUserLabel: (name: string, level: ShareLevel) =>
    level === 'read' ? `Let ${name} watch only` : `Let ${name} type`,
  viewers: 'Here now',
  watching: (count: number) => `${count} here`,
  until: (expires: number) => `until ${moment.format(expires)}`,
  revoke: 'Withdraw',
  revokeLabel: (name: string) => `Withdraw ${name}`,
  set: { read: 'Let watch only', write: 'Let type' },
  sendAway: 'Send away',
  sendAwayLabel: (name: string) => `Send ${name} away`,
  passphraseTitle: 'This link asks for a passphrase',
  passphraseText: 'Whoever gave you the link knows it.',
  passphraseWrong: 'That was not it. Try again.',
  passphraseLabel: 'Passphrase',
  optional: 'optional',
  passphraseYes: 'Go on',
};
