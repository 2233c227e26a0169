//! Stub until the real one lands.
#![allow(missing_docs)]
use hither_core::WindowSize;
#[derive(Debug)]
pub struct Screen(WindowSize, Vec<u8>);
#[derive(Debug, Clone, Copy)]
pub struct SnapshotLimits {
    pub scrollback_lines_max: usize,
    pub bytes_max: usize,
}
impl Screen {
    pub fn new(size: WindowSize, _scrollback_lines_max: usize) -> Self {
        Self(size, Vec::new())
    }
    pub fn feed(&mut self, bytes: &[u8]) {
        self.1.extend_from_slice(bytes);
        let n = self.1.len();
        if n > 4000 {
            self.1.drain(..n - 4000);
        }
    }
    pub fn resize(&mut self, size: WindowSize) {
        self.0 = size;
    }
    pub fn size(&self) -> WindowSize {
        self.0
    }
    pub fn snapshot(&self, _limits: SnapshotLimits) -> Vec<u8> {
        self.1.clone()
    }
    pub fn take_replies(&mut self) -> Vec<u8> {
        Vec::new()
    }
}
#[derive(Debug, Default)]
pub struct Scanner;
#[derive(Debug, Clone, Copy)]
pub enum QueryKind {
    PrimaryAttributes,
}
#[derive(Debug)]
pub enum Notice {
    Query { kind: QueryKind, end: usize },
    Title(String),
    Bell,
}
impl Scanner {
    pub fn new() -> Self {
        Self
    }
    pub fn scan(&mut self, _bytes: &[u8], _notices: &mut impl FnMut(Notice)) {}
}
