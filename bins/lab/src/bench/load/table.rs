//! Figures and goals, aligned.

/// The table.
#[derive(Default)]
pub struct Table(Vec<Row>);

struct Row {
    what: String,
    goal: String,
    here: String,
    met: bool,
}

impl Table {
    /// A figure that may be at most `goal`.
    pub fn at_most(&mut self, what: &str, here: f64, goal: f64, unit: &str, digits: usize) {
        let goal_text = format!("<= {} {unit}", (goal * 1e6).round() / 1e6);
        let here_text = format!("{here:.digits$} {unit}");
        println!("bench: {what}: {here_text}");
        self.0.push(Row { what: what.to_owned(), goal: goal_text, here: here_text, met: here <= goal });
    }

    /// A figure without a goal.
    pub fn figure(&mut self, what: &str, here: f64, unit: &str, digits: usize) {
        let here = format!("{here:.digits$} {unit}");
        println!("bench: {what}: {here}");
        self.0.push(Row { what: what.to_owned(), goal: String::new(), here, met: true });
    }

    pub fn text(&self) -> String {
        let line = |what: &str, goal: &str, here: &str, end: &str| {
            format!("  {what:<44}{goal:>18}{here:>18}{end}\n")
        };
        let rows = self.0.iter().map(|row| {
            let end = match (row.goal.is_empty(), row.met) {
                (true, _) => "",
                (false, true) => "  met",
                (false, false) => "  NOT MET",
            };
            line(&row.what, &row.goal, &row.here, end)
        });
        std::iter::once(line("", "goal", "here", "")).chain(rows).collect()
    }

    /// What is missed.
    pub fn missed(&self) -> Vec<String> {
        let missed = self.0.iter().filter(|row| !row.met);
        missed.map(|row| format!("{}: {} where {} is wanted", row.what, row.here, row.goal)).collect()
    }
}
