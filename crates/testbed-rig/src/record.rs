//! What clients saw, moment by moment, and what that says about shares and errors. Pure: times are handed in.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use vexil_testbed_cluster::Tally;

/// From a change of the route until a gateway of the testbed does it.
pub const GATEWAY_DELAY: Duration = Duration::from_secs(1);

/// How a gateway splits.
#[derive(Clone, Copy, Debug)]
pub struct Splitting {
    /// The least time from a change of the route until it does it.
    pub soonest: Duration,
    /// The most.
    pub latest: Duration,
    /// Whether each request is a draw, and not every share a number of turns.
    pub by_chance: bool,
}

impl Default for Splitting {
    /// As the gateways of the testbed.
    fn default() -> Self {
        Splitting { soonest: GATEWAY_DELAY, latest: GATEWAY_DELAY, by_chance: false }
    }
}
/// How long moments are kept.
const KEPT: Duration = Duration::from_secs(120);
/// Left out at both ends of a step: what was on its way when the gateway changed over, and how late it was noticed. Of
/// what is left the first half is left out as well: on a busy machine the gateway follows later than it says.
const SLACK: Duration = Duration::from_millis(150);
/// Fewer answers say nothing about a share.
const LEAST_ANSWERS: u64 = 40;

/// The share of a version over one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// What the route asked for, in percent.
    pub asked: u64,
    /// What clients got, in percent.
    pub measured: f64,
    /// Out of so many answers.
    pub answers: u64,
    /// Whether each of them was a draw.
    pub by_chance: bool,
}

/// What clients saw, moment by moment.
#[derive(Debug, Default)]
pub struct Record {
    splitting: Splitting,
    moments: VecDeque<(Duration, Tally)>,
    /// The weight that the route asks for, and since when the gateway does it.
    step: Option<(u64, Duration)>,
    /// Steps that are over for the route, and until when the gateway does them.
    over: VecDeque<(u64, Duration, Duration)>,
}

impl Record {
    /// Nothing yet, of a gateway that splits so.
    pub fn of(splitting: Splitting) -> Self {
        Record { splitting, ..Record::default() }
    }

    /// What was counted up to `at`.
    pub fn count(&mut self, at: Duration, tally: Tally) {
        self.moments.push_back((at, tally));
        while self.moments.front().is_some_and(|(then, _)| *then + KEPT < at) {
            self.moments.pop_front();
        }
    }

    /// Another share is tried, or none any more; the gateway follows within its delay. It was noticed at `at` and not
    /// yet at `before`, which may be a while ago on a machine that is busy.
    pub fn tried(&mut self, before: Duration, at: Duration, weight: Option<u64>) {
        self.close((before + self.splitting.soonest).saturating_sub(SLACK));
        self.step = weight.map(|weight| (weight, at + self.splitting.latest + SLACK));
    }

    /// From now on versions say nothing about the route: pods crash, or the primary gets the new version too.
    pub fn interrupt(&mut self, at: Duration) {
        self.close(at);
    }

    fn close(&mut self, until: Duration) {
        let step = self.step.take().filter(|(_, since)| *since < until);
        self.over.extend(step.map(|(weight, since)| (weight, since + (until - since) / 2, until)));
    }

    /// The shares of a version in the steps that are over by now.
    pub fn shares(&mut self, now: Duration, version: &str) -> Vec<Share> {
        let mut shares = Vec::new();
        while let Some((asked, since, until)) =
            self.over.front().copied().filter(|(_, _, until)| *until <= now)
        {
            self.over.pop_front();
            let tally = self.between(since, until);
            let answers: u64 = tally.by_version.values().sum();
            if answers >= LEAST_ANSWERS {
                let (measured, by_chance) = (tally.share(version) * 100.0, self.splitting.by_chance);
                shares.push(Share { asked, measured, answers, by_chance });
            }
        }
        shares
    }

    /// Answers of each version in the last second.
    pub fn per_second(&self, now: Duration) -> BTreeMap<String, u64> {
        self.between(now.saturating_sub(Duration::from_secs(1)), now).by_version
    }

    /// When clients last saw an error since `since`.
    pub fn last_error(&self, since: Duration) -> Option<Duration> {
        let moments = || self.moments.iter().skip_while(|(at, _)| *at < since);
        let pairs = moments().zip(moments().skip(1));
        let worse = pairs.filter(|((_, before), (_, after))| before.errors() < after.errors());
        worse.map(|(_, (at, _))| *at).last()
    }

    fn between(&self, since: Duration, until: Duration) -> Tally {
        let mut inside = self.moments.iter().filter(|(at, _)| (since..=until).contains(at));
        match (inside.next(), inside.next_back()) {
            (Some((_, first)), Some((_, last))) => last.since(first),
            _ => Tally::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// A hundred requests per second from the beginning on, of which `canary` percent go to version `new` while the
    /// gateway asks for them.
    fn record(seconds: u64, canary: impl Fn(u64) -> u64, errors: impl Fn(u64) -> u64) -> Record {
        let (mut record, mut tally) = (Record::default(), Tally::default());
        for tick in 0..seconds * 10 {
            let new = canary(tick * 100) / 10;
            *tally.by_version.entry("new".to_owned()).or_default() += new;
            *tally.by_version.entry("old".to_owned()).or_default() += 10 - new;
            *tally.by_status.entry(502).or_default() += errors(tick * 100);
            record.count(MS(tick * 100), tally.clone());
        }
        record
    }

    #[test]
    fn the_share_of_a_step_is_measured_while_the_gateway_does_it() {
        // The gateway is half a second late.
        let shown = |ms| if (2_500..4_000).contains(&ms) { 20 } else { 0 };
        let mut record = record(6, shown, |_| 0);
        record.tried(MS(950), MS(1_000), Some(20));
        record.tried(MS(3_000), MS(3_050), None);
        assert_eq!(record.shares(MS(3_800), "new"), [], "the gateway has not followed yet");
        let shares = record.shares(MS(3_900), "new");
        assert_eq!(shares, [Share { asked: 20, measured: 20.0, answers: 80, by_chance: false }]);
        assert_eq!(record.shares(MS(9_000), "new"), [], "reported once");
    }

    #[test]
    fn steps_that_were_too_short_or_interrupted_say_nothing_they_cannot_know() {
        let mut record = record(6, |_| 10, |_| 0);
        record.tried(MS(1_000), MS(1_000), Some(10));
        record.tried(MS(1_100), MS(1_100), Some(20));
        record.interrupt(MS(2_100));
        record.tried(MS(2_200), MS(2_200), None);
        assert_eq!(record.shares(MS(9_000), "new"), []);
    }

    #[test]
    fn a_look_that_took_long_makes_the_measured_time_shorter_and_not_wrong() {
        let shown = |ms| if (2_000..4_000).contains(&ms) { 20 } else { 50 };
        let mut record = record(6, shown, |_| 0);
        record.tried(MS(900), MS(1_400), Some(20));
        record.tried(MS(2_900), MS(3_400), Some(50));
        let expect = Share { asked: 20, measured: 20.0, answers: 50, by_chance: false };
        assert_eq!(record.shares(MS(5_000), "new"), [expect]);
    }

    #[test]
    fn a_gateway_that_may_follow_at_once_is_measured_before_the_route_changes_again() {
        let shown = |ms| if (1_100..3_000).contains(&ms) { 20 } else { 50 };
        let splitting = Splitting { soonest: Duration::ZERO, latest: MS(600), by_chance: true };
        let mut record = Record { splitting, ..record(6, shown, |_| 0) };
        record.tried(MS(1_000), MS(1_000), Some(20));
        record.tried(MS(3_000), MS(3_050), Some(50));
        let expect = Share { asked: 20, measured: 20.0, answers: 50, by_chance: true };
        assert_eq!(record.shares(MS(5_000), "new"), [expect]);
    }

    #[test]
    fn the_last_error_is_that_of_the_last_moment_with_more_of_them() {
        let check = |since, errors: fn(u64) -> u64, expect: Option<u64>| {
            assert_eq!(record(6, |_| 0, errors).last_error(MS(since)), expect.map(MS));
        };
        check(0, |_| 0, None);
        check(0, |ms| u64::from(ms == 2_000), Some(2_000));
        check(0, |ms| u64::from((2_000..3_000).contains(&ms)), Some(2_900));
        check(2_500, |ms| u64::from(ms == 2_000), None);
    }

    #[test]
    fn the_rate_is_that_of_the_last_second() {
        let rate = record(3, |_| 30, |_| 0).per_second(MS(2_900));
        assert_eq!(rate.into_iter().collect::<Vec<_>>(), [("new".to_owned(), 30), ("old".to_owned(), 70)]);
    }
}
