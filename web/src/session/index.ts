/** The life of one connection, without sockets, timers or DOM. */

export { Connection, type ConnectionOptions } from './connection';
export type { Effect, Event } from './effect';
export type { Closed, Phase, Status, WindowSize } from './status';
export { sanitiseTitle, TITLE_CHARS_MAX } from './title';
