//! What the acts of a guide came to: the closing lines, and what was not as it should be. Pure.

use std::time::Duration;

use vexil_testbed_cluster::Tally;

use crate::{
    outcome::splits,
    record::Share,
    styled_line::{Line, Tone},
};

/// How far a share may be from what was asked, in percentage points,
const TOLERANCE: f64 = 2.0;
/// or in requests, where few were counted: the gateway takes turns, so one at each end is a matter of chance.
const TOLERANCE_IN_REQUESTS: f64 = 2.0;
/// or in standard deviations, where each request is a draw: beyond these, chance is once in a hundred thousand steps.
const TOLERANCE_OF_DRAWS: f64 = 4.5;
/// How long clients may see errors when all pods of the canary crash.
const CRASH_LIMIT: Duration = Duration::from_secs(2);

/// What one act came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// The version that was rolled out.
    pub version: String,
    /// What became of it.
    pub outcome: &'static str,
    /// From the push to the end.
    pub took: Duration,
    /// What clients saw.
    pub tally: Tally,
    /// The split, step by step.
    pub shares: Vec<Share>,
    /// What the operator sent to the API server, watches not counted.
    pub api_requests: usize,
    /// Whether something was rolled out, step by step.
    pub is_rollout: bool,
    /// Which errors clients may have seen.
    pub expect: Expect,
}

/// Errors that clients may see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expect {
    /// None.
    NoErrors,
    /// Those that the version itself answered with.
    OnlyItsOwn,
    /// Those of the moment in which its pods crashed.
    OnlyAfterCrash {
        /// Errors before it.
        before: u64,
        /// From the crash to the last error; `None` without one.
        lasted: Option<Duration>,
    },
}

impl Report {
    /// What was not as it should be.
    pub fn violations(&self) -> Vec<String> {
        let version = &self.version;
        let mut found = Vec::new();
        let errors = self.foreign_errors();
        if errors > 0 {
            let all = kinds(&self.tally);
            found.push(format!(
                "clients saw {} that {version} did not make (of {all})",
                count(errors, "error")
            ));
        }
        if let Expect::OnlyAfterCrash { lasted: Some(lasted), .. } = self.expect
            && lasted >= CRASH_LIMIT
        {
            let (lasted, limit) = (lasted.as_secs_f64(), CRASH_LIMIT.as_secs());
            found.push(format!(
                "clients saw errors for {lasted:.1} s after the crash of {version}, not below {limit} s"
            ));
        }
        found.extend(self.shares.iter().filter(|share| is_off(share)).map(|share| {
            format!("{version} got {:.1} % of the requests when {} % were asked", share.measured, share.asked)
        }));
        found
            .extend(bias(&self.shares).map(|bias| {
                format!("{version} got {bias:+.1} points of all requests beside what was asked")
            }));
        if self.is_rollout && self.shares.is_empty() {
            found.push(format!("no step of {version} could be measured"));
        }
        found
    }

    /// Errors that the version did not make.
    pub fn foreign_errors(&self) -> u64 {
        match self.expect {
            Expect::NoErrors => self.tally.errors(),
            Expect::OnlyItsOwn => self.tally.errors() - self.own_errors().min(self.tally.errors()),
            Expect::OnlyAfterCrash { before, .. } => before,
        }
    }

    fn own_errors(&self) -> u64 {
        self.tally.errors_by_version.get(&self.version).copied().unwrap_or(0)
    }

    fn errors(&self) -> String {
        let errors = count(self.tally.errors(), "error");
        match self.expect {
            _ if self.tally.errors() == 0 => "no errors".to_owned(),
            Expect::NoErrors => errors,
            Expect::OnlyItsOwn if self.foreign_errors() == 0 => {
                format!("{errors}, all of them its own answers")
            }
            Expect::OnlyItsOwn => format!("{errors}, {} of them not its own answers", self.foreign_errors()),
            Expect::OnlyAfterCrash { lasted, .. } => {
                let lasted = lasted.unwrap_or_default().as_secs_f64();
                format!("{errors} within {lasted:.1} s of the crash, none after")
            }
        }
    }
}

fn is_off(share: &Share) -> bool {
    let of_few = match share.by_chance {
        true => TOLERANCE_OF_DRAWS * variance(share).sqrt(),
        false => 100.0 * TOLERANCE_IN_REQUESTS,
    };
    (share.measured - share.asked as f64).abs() > TOLERANCE.max(of_few / share.answers as f64)
}

/// That of the number of draws for the canary, times 100².
fn variance(share: &Share) -> f64 {
    let asked = share.asked as f64;
    asked * (100.0 - asked) * share.answers as f64
}

/// How far all draws of a rollout together are from what was asked, in percentage points, if that is too far. One step
/// may be as far off as chance is; all of them in the same direction may not.
fn bias(shares: &[Share]) -> Option<f64> {
    let sum =
        |of: &dyn Fn(&Share) -> f64| -> f64 { shares.iter().filter(|share| share.by_chance).map(of).sum() };
    let answers = sum(&|share| share.answers as f64);
    let off = sum(&|share| (share.measured - share.asked as f64) * share.answers as f64);
    let of_few = TOLERANCE_OF_DRAWS * sum(&variance).sqrt();
    let limit = (TOLERANCE * answers).max(of_few);
    (off.abs() > limit).then(|| off / answers)
}

/// `1 error`, `2 errors`.
pub fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `19 × 502, 2 × connection refused`.
pub fn kinds(tally: &Tally) -> String {
    let bad = tally.by_status.iter().filter(|(status, count)| **status >= 400 && **count > 0);
    let statuses = bad.map(|(status, count)| format!("{count} × {status}"));
    let failures = tally.failed.iter().map(|(reason, count)| format!("{count} × {reason}"));
    statuses.chain(failures).collect::<Vec<_>>().join(", ")
}

/// The closing lines, and everything that was not as it should be.
pub fn closing(reports: &[Report], took: Duration) -> Vec<Line> {
    let mut lines = vec![Line::default()];
    lines.extend(reports.iter().map(result));
    lines.push(Line::default());
    let rows = reports.iter().filter(|report| report.is_rollout);
    lines.extend(splits(rows.map(|report| (report.version.as_str(), report.shares.as_slice()))));
    lines.push(Line::default());
    let requests = reports.iter().map(|report| report.tally.requests).sum::<u64>();
    let api = reports.iter().map(|report| report.api_requests).sum::<usize>();
    let each: Vec<String> = reports.iter().map(|report| report.api_requests.to_string()).collect();
    let (seconds, each) = (took.as_secs_f64(), each.join(" + "));
    let text = format!(
        "  {seconds:.0} s, {requests} requests of clients, {api} of the operator to the API server ({each})."
    );
    lines.push(Line::of(Tone::Plain, text).hanging(2));
    let errors = reports.iter().map(|report| report.tally.errors()).sum::<u64>();
    lines.push(if reports.iter().any(|report| !report.violations().is_empty()) {
        Line::of(Tone::Bad, "  Not everything was as it should be.")
    } else if errors == 0 {
        Line::of(Tone::Good, "  Clients saw no errors.")
    } else {
        let text = format!(
            "  Clients saw {}, all of them of versions that were taken back.",
            count(errors, "error")
        );
        Line::of(Tone::Good, text)
    });
    lines
}

fn result(report: &Report) -> Line {
    let (tone, mark) = if report.violations().is_empty() { (Tone::Good, "✓") } else { (Tone::Bad, "✗") };
    let (seconds, requests) = (report.took.as_secs_f64(), report.tally.requests);
    let head = Line::of(tone, format!("  {mark} {:9} {:11}", report.version, report.outcome))
        .and(Tone::Plain, format!("  {seconds:>4.1} s  {requests:>5} requests  "));
    let hang = head.columns();
    head.and(Tone::Plain, report.errors()).hanging(hang)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(expect: Expect, own: u64, others: u64) -> Report {
        let mut tally = Tally { requests: 1_000, ..Tally::default() };
        tally.by_status.extend([(200, 1_000 - own - others), (500, own), (502, others)]);
        tally.errors_by_version.extend([("bad".to_owned(), own), (String::new(), others)]);
        Report {
            version: "bad".to_owned(),
            outcome: "rolled back",
            took: Duration::from_millis(12_340),
            tally,
            shares: vec![Share { asked: 5, measured: 5.4, answers: 100, by_chance: false }],
            api_requests: 24,
            is_rollout: true,
            expect,
        }
    }

    #[track_caller]
    fn check(report: Report, expect: &[&str]) {
        assert_eq!(report.violations(), expect);
    }

    #[test]
    fn clients_see_no_error_that_the_version_did_not_make() {
        check(report(Expect::NoErrors, 0, 0), &[]);
        check(report(Expect::NoErrors, 0, 1), &["clients saw 1 error that bad did not make (of 1 × 502)"]);
        check(report(Expect::OnlyItsOwn, 7, 0), &[]);
        check(
            report(Expect::OnlyItsOwn, 7, 2),
            &["clients saw 2 errors that bad did not make (of 7 × 500, 2 × 502)"],
        );
    }

    #[test]
    fn a_crash_may_cost_less_than_two_seconds() {
        let after = |before, ms: Option<u64>| {
            let lasted = ms.map(Duration::from_millis);
            report(Expect::OnlyAfterCrash { before, lasted }, 0, 9)
        };
        check(after(0, None), &[]);
        check(after(0, Some(1_900)), &[]);
        check(after(0, Some(2_000)), &["clients saw errors for 2.0 s after the crash of bad, not below 2 s"]);
        check(after(1, Some(500)), &["clients saw 1 error that bad did not make (of 9 × 502)"]);
    }

    #[test]
    fn shares_are_what_was_asked_within_two_points() {
        let with = |measured| {
            let share = Share { asked: 25, measured, answers: 100, by_chance: false };
            Report { shares: vec![share], ..report(Expect::NoErrors, 0, 0) }
        };
        check(with(26.9), &[]);
        check(with(27.1), &["bad got 27.1 % of the requests when 25 % were asked"]);
        check(with(22.9), &["bad got 22.9 % of the requests when 25 % were asked"]);
        let few = Share { asked: 25, measured: 29.5, answers: 40, by_chance: false };
        check(Report { shares: vec![few], ..with(25.0) }, &[]);
        check(Report { shares: vec![], ..with(25.0) }, &["no step of bad could be measured"]);
    }

    #[test]
    fn draws_may_be_as_far_off_as_chance_is_but_not_all_in_one_direction() {
        let share = |measured| Share { asked: 50, measured, answers: 400, by_chance: true };
        let with = |shares: Vec<f64>| {
            let shares = shares.into_iter().map(share).collect();
            Report { shares, ..report(Expect::NoErrors, 0, 0) }
        };
        check(with(vec![61.0, 39.0]), &[]);
        let alone = "bad got 61.5 % of the requests when 50 % were asked";
        check(with(vec![61.5, 38.8]), &[alone]);
        let together = "bad got +7.0 points of all requests beside what was asked";
        check(with(vec![57.0, 57.0, 57.0]), &[together]);
    }

    #[test]
    fn the_closing_lines_tell_seconds_requests_errors_and_shares() {
        let lines = closing(&[report(Expect::OnlyItsOwn, 7, 0)], Duration::from_secs(61));
        let text: Vec<String> = lines.iter().map(Line::text).collect();
        let expect = "
  ✓ bad       rolled back  12.3 s   1000 requests  7 errors, all of them its own answers

    asked for, in %     5
    bad got           5.4

  61 s, 1000 requests of clients, 24 of the operator to the API server (24).
  Clients saw 7 errors, all of them of versions that were taken back.";
        assert_eq!(text.join("\n"), expect);
    }
}
