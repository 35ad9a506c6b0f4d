//! The page of the book with what rollouts came to: a row per guide, in the section of its command. Pure.

use anyhow::Context as _;

use crate::outcome::Outcome;

/// What is above the rows of every section.
const HEAD: &str = "\
| guide | gateway | seconds | API requests | requests of clients | failed | asked for, in % | measured, in % |
|---|---|---|---|---|---|---|---|
";

/// The row of a guide: its promotion, and the failed requests of all acts that no bad version made.
pub fn row(outcome: &Outcome, gateway: &str) -> String {
    let Some(promotion) = outcome.promotion() else {
        return format!("| `{}` | {gateway} | | | | | | |\n", outcome.guide.name);
    };
    let join = |of: &dyn Fn(&crate::record::Share) -> String| {
        promotion.shares.iter().map(of).collect::<Vec<_>>().join(", ")
    };
    let (asked, got) = (join(&|one| one.asked.to_string()), join(&|one| format!("{:.1}", one.measured)));
    format!(
        "| `{}` | {gateway} | {:.0} | {} | {} | {} | {asked} | {got} |\n",
        outcome.guide.name,
        promotion.took.as_secs_f64(),
        promotion.api_requests,
        promotion.tally.requests,
        outcome.foreign_errors(),
    )
}

/// The page with other rows between the marks of a section.
///
/// # Errors
/// When the page has no such section.
pub fn written(page: &str, section: &str, rows: &[String]) -> anyhow::Result<String> {
    let marks = [format!("<!-- {section} -->\n"), format!("<!-- end of {section} -->\n")];
    let [begin, end] = &marks;
    let parts = page
        .split_once(begin.as_str())
        .and_then(|(before, rest)| Some((before, rest.split_once(end.as_str())?)));
    let (before, (_, after)) = parts.with_context(|| format!("the page has no section {section}"))?;
    Ok(format!("{before}{begin}\n{HEAD}{}\n{end}{after}", rows.concat()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vexil_testbed_cluster::Tally;

    use super::*;
    use crate::{
        record::Share,
        report::{Expect, Report},
        systems::USUAL,
    };

    fn report(is_rollout: bool, errors: u64) -> Report {
        let mut tally = Tally { requests: 500, ..Tally::default() };
        tally.by_status.extend([(200, 500 - errors), (502, errors)]);
        let share = |asked, measured| Share { asked, measured, answers: 200, by_chance: false };
        Report {
            version: "2".to_owned(),
            outcome: "",
            took: Duration::from_millis(20_400),
            tally,
            shares: if is_rollout { vec![share(5, 5.04), share(10, 9.87)] } else { Vec::new() },
            api_requests: 27,
            is_rollout,
            expect: Expect::NoErrors,
        }
    }

    #[test]
    fn a_row_has_the_first_rollout_and_the_errors_of_all_acts() {
        let reports = vec![report(false, 1), report(true, 0), report(true, 2)];
        let outcome = Outcome { guide: USUAL, took: Duration::from_secs(60), reports };
        let expect = "| `traefik` | Traefik | 20 | 27 | 500 | 3 | 5, 10 | 5.0, 9.9 |\n";
        assert_eq!(row(&outcome, "Traefik"), expect);
    }

    #[test]
    fn only_the_rows_of_the_section_are_other_ones() {
        let page = "text\n<!-- demo -->\nold\n<!-- end of demo -->\nmore\n<!-- traffic -->\n<!-- end of traffic -->\n";
        let new = written(page, "demo", &["| a |\n".to_owned(), "| b |\n".to_owned()]).unwrap();
        let expect = format!(
            "text\n<!-- demo -->\n\n{HEAD}| a |\n| b |\n\n<!-- end of demo -->\nmore\n<!-- traffic -->\n<!-- end of traffic -->\n"
        );
        assert_eq!(new, expect);
        assert!(written(page, "bench", &[]).is_err());
    }
}
