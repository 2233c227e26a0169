//! How much longer everything takes because others use the processors too.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A thread that works a little now and then, and compares the time that passed with the processor
/// time that it got.
#[derive(Debug)]
pub struct Contention {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: JoinHandle<f64>,
}

/// Work of one sample: more than a scheduler gives to one who was idle before others have a turn.
const SAMPLE: Duration = Duration::from_millis(10);
/// Between two samples.
const PAUSE: Duration = Duration::from_millis(490);

impl Contention {
    /// Begins to sample.
    #[must_use]
    pub fn start() -> Self {
        let stop: Arc<(Mutex<bool>, Condvar)> = Arc::default();
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut passed, mut worked) = (Duration::ZERO, Duration::ZERO);
            loop {
                let (wall, cpu) = sample();
                (passed, worked) = (passed + wall, worked + cpu);
                let (over, changed) = &*stopped;
                let over = over.lock().expect("nobody panics with it");
                let waited = changed.wait_timeout_while(over, PAUSE, |over| !*over);
                if *waited.expect("nobody panics with it").0 {
                    return (passed.as_secs_f64() / worked.as_secs_f64()).max(1.0);
                }
            }
        });
        Self { stop, thread }
    }

    /// How many times longer than on an idle machine a piece of work took since the start: at least 1.
    ///
    /// # Panics
    /// Never: the thread does not panic.
    #[must_use]
    pub fn finish(self) -> f64 {
        *self.stop.0.lock().expect("nobody panics with it") = true;
        self.stop.1.notify_all();
        self.thread.join().expect("it does not panic")
    }

    /// The same for this very moment.
    #[must_use]
    pub fn now() -> f64 {
        let (wall, cpu) = sample();
        (wall.as_secs_f64() / cpu.as_secs_f64()).max(1.0)
    }
}

/// Works for a while: the time that this took, and the processor time that it got.
fn sample() -> (Duration, Duration) {
    let (start, cpu_start) = (Instant::now(), thread_cpu());
    loop {
        let cpu = thread_cpu().saturating_sub(cpu_start);
        if cpu >= SAMPLE {
            return (start.elapsed(), cpu);
        }
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanos)
}
