//! Texts and extras that do not fit into a cell, interned and bounded.

use std::collections::HashMap;

use crate::cell::{Color, ExtraId};

/// Longest cluster of one cell in bytes; what comes after is dropped.
pub(crate) const CLUSTER_BYTES_MAX: usize = 128;
/// Most different clusters on screen and scrollback; beyond, marks are dropped.
const CLUSTERS_MAX: usize = 1 << 16;
/// Most different pairs of underline colour and hyperlink; beyond, both are dropped.
const EXTRAS_MAX: usize = 4096;
/// Fewest misses between two collections.
const MISSES_MIN: usize = 1024;

/// A hyperlink (OSC 8).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hyperlink {
    /// The `id=` parameter, which ties parts of one link together.
    pub id: Option<Box<str>>,
    /// Where it leads. Whoever shows it decides which schemes are links.
    pub uri: Box<str>,
}

/// What a cell may have beside its style.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Extra {
    pub(crate) underline_color: Color,
    pub(crate) link: Option<std::sync::Arc<Hyperlink>>,
}

/// Interned clusters and extras. Numbers stay valid until [`Pool::retain`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    clusters: Interned<Box<str>>,
    extras: Interned<Extra>,
}

#[derive(Clone, Debug)]
struct Interned<T> {
    items: Vec<T>,
    numbers: HashMap<T, u32>,
    /// New items, or attempts, since the last collection.
    misses: usize,
    /// Collect after this many misses, so that looking at all cells stays cheap per miss.
    misses_max: usize,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { items: Vec::new(), numbers: HashMap::new(), misses: 0, misses_max: MISSES_MIN }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Interned<T> {
    fn intern(&mut self, item: T, max: usize) -> Option<u32> {
        if let Some(&number) = self.numbers.get(&item) {
            return Some(number);
        }
        self.misses += 1;
        if self.items.len() >= max {
            return None;
        }
        let number = u32::try_from(self.items.len()).ok()?;
        self.items.push(item.clone());
        self.numbers.insert(item, number);
        Some(number)
    }

    /// Keeps what is marked in `live`; returns the new number of each old one.
    fn retain(&mut self, live: &[bool], max: usize) -> Vec<u32> {
        let mut renumbered = vec![0; self.items.len()];
        let old = std::mem::take(&mut self.items);
        self.numbers.clear();
        for (at, item) in old.into_iter().enumerate() {
            if live.get(at).copied().unwrap_or(false) {
                renumbered[at] = self.intern(item, max).unwrap_or(0);
            }
        }
        self.misses = 0;
        self.misses_max = self.items.len().max(MISSES_MIN);
        renumbered
    }
}

/// Which numbers are in use, to be filled before [`Pool::retain`].
#[derive(Debug)]
pub(crate) struct Live {
    clusters: Vec<bool>,
    extras: Vec<bool>,
}

impl Live {
    pub(crate) fn mark_cluster(&mut self, id: u32) {
        if let Some(slot) = usize::try_from(id).ok().and_then(|at| self.clusters.get_mut(at)) {
            *slot = true;
        }
    }

    pub(crate) fn mark_extra(&mut self, id: ExtraId) {
        if id.0 > 0
            && let Some(slot) = self.extras.get_mut(usize::from(id.0) - 1)
        {
            *slot = true;
        }
    }
}

/// New numbers after [`Pool::retain`].
#[derive(Debug)]
pub(crate) struct Renumbered {
    clusters: Vec<u32>,
    extras: Vec<u32>,
}

impl Renumbered {
    pub(crate) fn cluster(&self, id: u32) -> u32 {
        usize::try_from(id).ok().and_then(|at| self.clusters.get(at)).copied().unwrap_or(0)
    }

    pub(crate) fn extra(&self, id: ExtraId) -> ExtraId {
        if id.0 == 0 {
            return id;
        }
        let new = self.extras.get(usize::from(id.0) - 1).copied().unwrap_or(0);
        ExtraId(u16::try_from(new + 1).unwrap_or(0))
    }
}

impl Pool {
    /// The number of a cluster; `None` when the pool is full.
    pub(crate) fn intern_cluster(&mut self, text: &str) -> Option<u32> {
        self.clusters.intern(text.into(), CLUSTERS_MAX)
    }

    /// The number of an extra; 0 when there is nothing to say or the pool is full.
    pub(crate) fn intern_extra(&mut self, extra: &Extra) -> ExtraId {
        if *extra == Extra::default() {
            return ExtraId(0);
        }
        let number = self.extras.intern(extra.clone(), EXTRAS_MAX);
        ExtraId(number.and_then(|number| u16::try_from(number + 1).ok()).unwrap_or(0))
    }

    pub(crate) fn cluster(&self, id: u32) -> &str {
        usize::try_from(id).ok().and_then(|at| self.clusters.items.get(at)).map_or("", |text| text)
    }

    pub(crate) fn extra(&self, id: ExtraId) -> Extra {
        if id.0 == 0 {
            return Extra::default();
        }
        self.extras.items.get(usize::from(id.0) - 1).cloned().unwrap_or_default()
    }

    /// Whether it is time to look which numbers are still in use.
    pub(crate) fn wants_collection(&self) -> bool {
        self.clusters.misses >= self.clusters.misses_max
            || self.extras.misses >= self.extras.misses_max
    }

    pub(crate) fn nothing_live(&self) -> Live {
        Live {
            clusters: vec![false; self.clusters.items.len()],
            extras: vec![false; self.extras.items.len()],
        }
    }

    /// Forgets everything that is not live.
    pub(crate) fn retain(&mut self, live: &Live) -> Renumbered {
        let clusters = self.clusters.retain(&live.clusters, CLUSTERS_MAX);
        let extras = self.extras.retain(&live.extras, EXTRAS_MAX);
        Renumbered { clusters, extras }
    }
}
