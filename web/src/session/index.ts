/** The life of one connection, without sockets, timers or DOM. */

export type { WindowSize } from '../protocol';
export { Connection, type ConnectionOptions } from './connection';
export type { Effect, Event } from './effect';
export type { Closed, Phase, Status } from './status';
export { sanitiseTitle, TITLE_CHARS_MAX } from './title';
