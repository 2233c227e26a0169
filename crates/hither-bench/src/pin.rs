//! Keeping client and server on different CPUs, when there are enough.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// From so many CPUs on, the client gets one of its own.
const ENOUGH: usize = 4;

/// Which CPUs the client and the servers run on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pinning {
    cpus: usize,
    sets: Option<[CpuSet; 2]>,
}

impl Pinning {
    /// Divides the CPUs that this process may use; with fewer than four, all share all.
    pub(crate) fn new() -> io::Result<Self> {
        let all = sched_getaffinity(None)?;
        let numbers: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu)).collect();
        let mut pinning = Self { cpus: numbers.len(), sets: None };
        if let Some((last, rest)) = numbers.split_last()
            && numbers.len() >= ENOUGH
        {
            let mut sets = [CpuSet::new(), CpuSet::new()];
            sets[0].set(*last);
            rest.iter().for_each(|cpu| sets[1].set(*cpu));
            pinning.sets = Some(sets);
            sched_setaffinity(None, &sets[0])?;
        }
        Ok(pinning)
    }

    /// CPUs that client and servers have together.
    pub(crate) const fn cpus(&self) -> usize {
        self.cpus
    }

    /// Does `start`, which starts processes, on the servers' CPUs.
    pub(crate) fn on_server_cpus<T>(&self, start: impl FnOnce() -> T) -> io::Result<T> {
        let Some([client, server]) = &self.sets else { return Ok(start()) };
        sched_setaffinity(None, server)?;
        let started = start();
        sched_setaffinity(None, client)?;
        Ok(started)
    }

    /// What the report says about it.
    pub(crate) fn note(&self) -> String {
        if self.sets.is_some() {
            return "The client had a CPU of its own.".to_owned();
        }
        let cpus = self.cpus;
        format!(
            "Client and servers shared {cpus} CPUs: absolute figures include what the client took \
             (see client CPU) and what else the machine did. Ratios to the floor are taken round by \
             round and stand."
        )
    }
}
