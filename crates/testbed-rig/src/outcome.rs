//! What a guide came to, for people and for programs: a line of JSON each, and a table of all. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::{
    guide::Guide,
    record::Share,
    report::Report,
    styled_line::{Line, Tone},
};

/// A guide that was played to its end.
#[derive(Debug)]
pub struct Outcome {
    /// The guide.
    pub guide: &'static Guide,
    /// From the first manifest to the last report.
    pub took: Duration,
    /// What each act came to.
    pub reports: Vec<Report>,
}

impl Outcome {
    /// What was not as it should be.
    pub fn violations(&self) -> Vec<String> {
        self.reports.iter().flat_map(Report::violations).collect()
    }

    /// One line for programs. `clientErrors` are those that no bad version made; `asked` and `got` are the steps of the
    /// promotion, in percent; `apiRequests` are those of the operator to the API server, without watches.
    pub fn json(&self) -> String {
        let field = |(name, value): &(&str, Value)| format!("\"{name}\": {value}");
        format!("{{{}}}", self.fields().iter().map(field).collect::<Vec<_>>().join(", "))
    }

    fn fields(&self) -> [(&'static str, Value); 8] {
        let sum = |number: fn(&Report) -> u64| self.reports.iter().map(number).sum::<u64>();
        let (all, foreign) = (sum(|report| report.tally.errors()), sum(Report::foreign_errors));
        let tenth = |number: f64| (number * 10.0).round() / 10.0;
        let steps = self.steps();
        [
            ("guide", self.guide.name.into()),
            ("seconds", tenth(self.took.as_secs_f64()).into()),
            ("apiRequests", sum(|report| report.api_requests as u64).into()),
            ("clientRequests", sum(|report| report.tally.requests).into()),
            ("clientErrors", foreign.into()),
            ("badVersionErrors", (all - foreign.min(all)).into()),
            ("asked", steps.iter().map(|share| share.asked).collect()),
            ("got", steps.iter().map(|share| tenth(share.measured)).collect()),
        ]
    }

    /// The steps of the promotion.
    fn steps(&self) -> &[Share] {
        let promotion = self.reports.iter().find(|report| report.is_rollout);
        promotion.map(|report| report.shares.as_slice()).unwrap_or_default()
    }
}

/// All guides in one table.
pub fn table(outcomes: &[Outcome]) -> Vec<Line> {
    let row = |cells: [&str; 6]| {
        let [guide, seconds, api, clients, errors, own] = cells;
        format!("  {guide:12}{seconds:>8}{api:>14}{clients:>17}{errors:>8}{own:>17}")
    };
    let heads = ["guide", "seconds", "API requests", "client requests", "errors", "of bad versions"];
    let mut lines = vec![Line::default(), Line::of(Tone::Dim, row(heads))];
    for outcome in outcomes {
        let [_, cells @ .., _, _] = outcome.fields().map(|(_, value)| value.to_string());
        let [seconds, api, clients, errors, own] = cells.each_ref().map(String::as_str);
        let tone = if outcome.violations().is_empty() { Tone::Plain } else { Tone::Bad };
        lines.push(Line::of(tone, row([outcome.guide.name, seconds, api, clients, errors, own])));
    }
    lines.push(Line::default());
    lines.extend(splits(outcomes.iter().map(|outcome| (outcome.guide.name, outcome.steps()))));
    lines
}

/// A row per name, a column per weight that was asked.
pub fn splits<'a>(rows: impl Iterator<Item = (&'a str, &'a [Share])>) -> Vec<Line> {
    let rows: Vec<_> = rows.collect();
    let asked: BTreeSet<u64> =
        rows.iter().flat_map(|(_, shares)| shares.iter()).map(|share| share.asked).collect();
    let head: String = asked.iter().map(|weight| format!("{weight:>5}")).collect();
    let mut lines = vec![Line::of(Tone::Dim, format!("    asked for, in % {head}"))];
    for (name, shares) in rows {
        let cell = |weight: &u64| {
            let share = shares.iter().find(|share| share.asked == *weight);
            share.map_or(" ".repeat(5), |share| format!("{:>5.1}", share.measured))
        };
        let cells: String = asked.iter().map(cell).collect();
        let name = format!("{name} got");
        lines.push(Line::of(Tone::Plain, format!("    {name:16}{cells}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use vexil_testbed_cluster::Tally;

    use super::*;
    use crate::{report::Expect, systems::USUAL};

    fn outcome() -> Outcome {
        let report = |version: &str, expect: Expect, own: u64, is_rollout: bool| {
            let mut tally = Tally { requests: 1_000, ..Tally::default() };
            tally.by_status.extend([(200, 1_000 - own), (500, own)]);
            tally.errors_by_version.extend([(version.to_owned(), own)]);
            let share = |asked, measured| Share { asked, measured, answers: 200 };
            Report {
                version: version.to_owned(),
                outcome: "",
                took: Duration::from_secs(20),
                tally,
                shares: if is_rollout { vec![share(5, 5.04), share(10, 9.87)] } else { Vec::new() },
                api_requests: 20,
                is_rollout,
                expect,
            }
        };
        let reports = vec![
            report("1", Expect::NoErrors, 0, false),
            report("2", Expect::NoErrors, 0, true),
            report("bad", Expect::OnlyItsOwn, 7, true),
        ];
        Outcome { guide: USUAL, took: Duration::from_millis(61_234), reports }
    }

    #[test]
    fn a_line_of_json_sums_a_guide_up() {
        let expect = r#"{"guide": "traefik", "seconds": 61.2, "apiRequests": 60, "clientRequests": 3000, "clientErrors": 0, "badVersionErrors": 7, "asked": [5,10], "got": [5.0,9.9]}"#;
        assert_eq!(outcome().json(), expect);
        assert!(expect.parse::<Value>().is_ok());
    }

    #[test]
    fn the_table_has_a_row_per_guide_and_fits_a_terminal() {
        let text: Vec<String> = table(&[outcome()]).iter().map(Line::text).collect();
        let expect = "
  guide        seconds  API requests  client requests  errors  of bad versions
  traefik         61.2            60             3000       0                7

    asked for, in %     5   10
    traefik got       5.0  9.9";
        assert_eq!(text.join("\n"), expect);
    }
}
