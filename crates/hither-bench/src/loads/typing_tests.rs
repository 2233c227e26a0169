use super::*;
use crate::engine::simulation::Simulation;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn ids(count: usize) -> Vec<ConnectionId> {
    (0..count).map(ConnectionId).collect()
}

/// A server that echoes after a millisecond, but does nothing between 4 s and 6 s.
fn stalling() -> Simulation {
    let answers_at = |now: Moment| {
        if (ms(4000)..ms(6000)).contains(&now) { ms(6001) } else { now + ms(1) }
    };
    Simulation { answers_at: Box::new(answers_at), ..Simulation::echoing() }
}

#[test]
fn an_open_loop_shows_the_stall_as_people_feel_it() {
    let mut load = Typing::new(&ids(10), Pace::Open(10.0), ms(10_000));
    stalling().run(&mut load, ms(60_000));
    let summary = load.latencies.summary();
    assert_eq!(summary.count, 1000, "every key of the timetable was typed");
    assert!(load.damage().is_none());
    // A fifth of all keys fell into the stall, and waited for a second on average.
    assert!(summary.p50 < ms(2), "{summary:?}");
    assert!(load.latencies.percentile(79.0) < ms(2), "{summary:?}");
    assert!(load.latencies.percentile(90.0) > ms(900), "{summary:?}");
    assert!(summary.max > ms(1990), "{summary:?}");
    assert!(summary.mean > ms(190), "{summary:?}");
}

#[test]
fn a_closed_loop_hides_it_which_is_why_it_is_not_the_default() {
    let mut load = Typing::new(&ids(10), Pace::Closed, ms(10_000));
    stalling().run(&mut load, ms(60_000));
    let summary = load.latencies.summary();
    assert!(summary.p99 < ms(2), "coordinated omission: {summary:?}");
    assert!(summary.max > ms(1990));
}

#[test]
fn a_slow_sender_does_not_shift_the_due_times() {
    // The engine comes late: one timer call for a whole second of keys.
    let mut load = Typing::new(&ids(1), Pace::Open(10.0), ms(1000));
    let mut wishes = Wishes::default();
    load.handle_start(ms(0), &mut wishes);
    load.handle_timer(ms(1000), &mut wishes);
    for number in 0..10 {
        load.handle_output(ConnectionId(0), ms(1000), &[crate::content::key(number)], &mut wishes);
    }
    let summary = load.latencies.summary();
    assert_eq!(summary.count, 10);
    assert!(summary.max >= ms(999), "the first key is a second old: {summary:?}");
    assert!(summary.p50 >= ms(500), "the fifth was due half a second ago: {summary:?}");
}

#[test]
fn lost_keys_are_counted_and_the_load_still_ends() {
    let swallows = |input: &[u8]| {
        if input == [crate::content::key(5)] { vec![] } else { vec![input.to_vec()] }
    };
    let server = Simulation { answer: Box::new(swallows), ..Simulation::echoing() };
    let mut load = Typing::new(&ids(1), Pace::Open(10.0), ms(2000));
    server.run(&mut load, ms(60_000));
    assert!(load.is_finished());
    assert_eq!(load.damage(), Damage { lost: 1, ..Damage::default() });
}

#[test]
fn a_closed_loop_ends_though_its_key_is_lost() {
    let server = Simulation { answer: Box::new(|_| vec![]), ..Simulation::echoing() };
    let mut load = Typing::new(&ids(1), Pace::Closed, ms(2000));
    let end = server.run(&mut load, ms(60_000));
    assert!(load.is_finished());
    assert_eq!(end, ms(2000) + GRACE);
    assert_eq!(load.damage().lost, 1);
}

#[test]
fn a_quiet_load_ends_on_time() {
    let mut load = Typing::new(&ids(3), Pace::Closed, ms(100));
    let server = Simulation { answers_at: Box::new(|now| now + ms(1)), ..Simulation::echoing() };
    let end = server.run(&mut load, ms(60_000));
    assert!(load.is_finished());
    assert_eq!(end, ms(100));
    assert_eq!(load.latencies.len(), 300);
}
