/** Limits of the wire format, `docs/protocol.md` sections 4, 5 and 10. Sizes are in bytes. */

/** Most bytes that one `input` or one `output` frame may carry. */
export const FRAME_BYTES_MAX = 65_536;

/** Most bytes that one `snapshot` may carry. */
export const SNAPSHOT_BYTES_MAX = 1_048_576;

/** Most bytes of a `hello`, its type included. */
export const HELLO_BYTES_MAX = 4_096;

/** Smallest and largest window that a server accepts. */
export const COLS_MIN = 2;
export const COLS_MAX = 1_000;
export const ROWS_MIN = 1;
export const ROWS_MAX = 500;

/** The WebSocket subprotocol. */
export const SUBPROTOCOL = 'hither.v1';
