/** The codec of `hither.v1`, normative text in `docs/protocol.md`. */

export { FrameError } from './bytes';
export {
  type ClientFrame,
  decodeClientFrame,
  encodeClientFrame,
  type Feature,
  type Hello,
  type Role,
} from './client-frame';
export * from './limits';
export {
  decodeServerFrame,
  type Exit,
  encodeServerFrame,
  type ServerFrame,
  type SessionEvent,
  type Welcome,
} from './server-frame';
export type { WindowSize } from './window-size';
