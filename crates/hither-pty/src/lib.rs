//! Thin, safe wrapper over the kernel's PTY, memfd, pipe and pidfd calls.
