//! Lines of coloured words, as data: tests read the words, terminals get the colours.

/// What a word means; the terminal decides what that looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// Text of less weight.
    Dim,
    /// Titles.
    Bold,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Worth a look.
    Warn,
    /// The primary.
    Primary,
    /// The canary.
    Canary,
}

impl Tone {
    /// How a phase of a Canary is shown.
    pub fn of_phase(phase: &str) -> Tone {
        match phase {
            "Succeeded" | "Initialized" => Tone::Good,
            "Failed" => Tone::Bad,
            _ => Tone::Bold,
        }
    }
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    words: Vec<(Tone, String)>,
    /// Blanks before what does not fit on its first line.
    hang: usize,
}

impl Line {
    /// A line of one tone.
    pub fn of(tone: Tone, text: impl Into<String>) -> Self {
        Line::default().and(tone, text)
    }

    /// The line, continued.
    #[must_use]
    pub fn and(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.words.push((tone, text.into()));
        self
    }

    /// The line, continued by another one.
    #[must_use]
    pub fn join(mut self, rest: Line) -> Self {
        self.words.extend(rest.words);
        self
    }

    /// The line, to be continued after `hang` blanks when it is too long.
    #[must_use]
    pub fn hanging(self, hang: usize) -> Self {
        Line { hang, ..self }
    }

    /// The words alone.
    pub fn text(&self) -> String {
        let all: String = self.words.iter().map(|(_, text)| text.as_str()).collect();
        all.trim_end().to_owned()
    }

    /// How many columns it takes.
    pub fn columns(&self) -> usize {
        self.words.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// Broken between words into lines of at most `width` columns.
    pub fn wrapped(&self, width: usize) -> Vec<Line> {
        let (mut lines, mut line, mut column) = (Vec::new(), Line::default(), 0);
        for (tone, text) in &self.words {
            for word in text.split_inclusive(' ') {
                let columns = word.chars().count();
                if column > self.hang && column + word.trim_end().chars().count() > width {
                    lines.push(std::mem::replace(&mut line, Line::of(Tone::Plain, " ".repeat(self.hang))));
                    column = self.hang;
                }
                line = line.and(*tone, word);
                column += columns;
            }
        }
        lines.push(line);
        lines
    }

    /// The words, each with its tone.
    pub fn words(&self) -> &[(Tone, String)] {
        &self.words
    }
}

/// A bar of `width` columns of which the canary's share is last. A share above 0 shows at least one column, one
/// below 100 hides at least one.
pub fn bar(canary_percent: f64, width: usize) -> Line {
    let exact = canary_percent.clamp(0.0, 100.0) / 100.0 * width as f64;
    let least = usize::from(canary_percent > 0.0).min(width);
    let most = width.saturating_sub(usize::from(canary_percent < 100.0)).max(least);
    let canary = (exact.round() as usize).clamp(least, most);
    Line::of(Tone::Primary, "█".repeat(width.saturating_sub(canary))).and(Tone::Canary, "░".repeat(canary))
}

/// A bar as long as `part` is of `whole`.
pub fn gauge(part: u64, whole: u64, width: usize) -> String {
    let columns = (part * width as u64).div_ceil(whole.max(1)).min(width as u64);
    "▪".repeat(usize::try_from(columns).unwrap_or(width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_every_share_that_is_neither_nothing_nor_all() {
        let check = |percent: f64, expect: &str| assert_eq!(bar(percent, 10).text(), expect, "{percent}");
        check(0.0, "██████████");
        check(1.0, "█████████░");
        check(25.0, "███████░░░");
        check(50.0, "█████░░░░░");
        check(99.9, "█░░░░░░░░░");
        check(100.0, "░░░░░░░░░░");
        assert_eq!(bar(50.0, 0).text(), "");
    }

    #[test]
    fn a_gauge_is_as_long_as_its_part() {
        let check = |part, whole, expect: &str| assert_eq!(gauge(part, whole, 4), expect, "{part}/{whole}");
        check(0, 0, "");
        check(0, 9, "");
        check(1, 1000, "▪");
        check(5, 10, "▪▪");
        check(10, 10, "▪▪▪▪");
    }

    #[test]
    fn long_lines_go_on_below_their_words() {
        let check = |text: &str, expect: &[&str]| {
            let lines = Line::of(Tone::Plain, text).hanging(3).wrapped(10);
            assert_eq!(lines.iter().map(Line::text).collect::<Vec<_>>(), expect);
        };
        check("", &[""]);
        check("1s one two", &["1s one two"]);
        check("1s one two three", &["1s one two", "   three"]);
        check("1s one sesquipedalian", &["1s one", "   sesquipedalian"]);
    }
}
