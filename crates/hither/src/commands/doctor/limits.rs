//! How much of everything there may be.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::Finding;

/// Descriptors with which a hundred sessions and their viewers fit.
const DESCRIPTORS_WISHED: u64 = 4096;
/// PTYs that should still be free.
const PTYS_WISHED: u64 = 100;

/// Open files a process may have. The gateway raises its own limit to the hard one.
pub(super) fn descriptors() -> Finding {
    judge_descriptors(getrlimit(Resource::Nofile).maximum)
}

fn judge_descriptors(hard: Option<u64>) -> Finding {
    match hard {
        None => Finding::good("any number of open files"),
        Some(hard) if hard >= DESCRIPTORS_WISHED => Finding::good(format!("{hard} open files")),
        Some(hard) => Finding::fair(
            format!("{hard} open files are not many: a session needs about eight, a viewer one"),
            format!("raise the hard limit (ulimit -Hn, LimitNOFILE=) to {DESCRIPTORS_WISHED}"),
        ),
    }
}

/// PTYs the kernel gives out.
pub(super) fn ptys() -> Finding {
    let read = |name: &str| {
        let text = fs::read_to_string(format!("/proc/sys/kernel/pty/{name}")).ok()?;
        text.trim().parse::<u64>().ok()
    };
    judge_ptys(read("nr"), read("max"))
}

fn judge_ptys(used: Option<u64>, max: Option<u64>) -> Finding {
    let (Some(used), Some(max)) = (used, max) else {
        let what = "the number of PTYs could not be read from /proc/sys/kernel/pty";
        return Finding::fair(what, "mount /proc to learn of limits before they are hit");
    };
    let what = format!("{used} of {max} PTYs in use");
    let cure = "raise it with `sysctl kernel.pty.max=4096`, or end what holds them";
    match max.saturating_sub(used) {
        0 => Finding::bad(what, cure),
        1..PTYS_WISHED => Finding::fair(what, cure),
        _ => Finding::good(what),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn descriptors_are_judged_by_the_hard_limit() {
        for (hard, expect) in
            [(None, Verdict::Good), (Some(4096), Verdict::Good), (Some(1024), Verdict::Fair)]
        {
            assert_eq!(judge_descriptors(hard).verdict, expect);
        }
    }

    #[test]
    fn ptys_are_judged_by_those_left() {
        for (used, max, expect) in [
            (Some(3), Some(4096), Verdict::Good),
            (Some(4000), Some(4096), Verdict::Fair),
            (Some(4096), Some(4096), Verdict::Bad),
            (Some(9), Some(4), Verdict::Bad),
            (None, Some(4096), Verdict::Fair),
        ] {
            assert_eq!(judge_ptys(used, max).verdict, expect);
        }
    }
}
