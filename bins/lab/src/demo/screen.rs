//! Where the demo is shown: plain lines, or a terminal whose last lines are a panel, redrawn under the lines that stay.

use std::{
    collections::VecDeque,
    io::{self, IsTerminal as _},
};

use console::{Style, Term, truncate_str};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vexil_testbed_rig::{
    player::{Plain, State, View},
    styled_line::{Line, Tone},
};

use super::panel::panel;

/// Drawings per second.
const RATE: u8 = 10;
/// Lines that are shown again when the terminal gets another size.
const KEPT: usize = 200;

/// The output.
#[derive(Debug)]
pub struct Screen(Option<Live>);

#[derive(Debug)]
struct Live {
    term: Term,
    bar: ProgressBar,
    /// Lines and columns when it was last drawn.
    size: (u16, u16),
    kept: VecDeque<Line>,
}

impl Screen {
    /// The terminal; plain lines when that is asked for or the output is none.
    pub fn open(plain: bool) -> Self {
        if plain || !io::stdout().is_terminal() {
            return Screen(None);
        }
        let term = Term::stdout();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term(term.clone(), RATE));
        // The message is the panel, line by line.
        bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
        Screen(Some(Live { size: term.size(), term, bar, kept: VecDeque::new() }))
    }

    /// Prints lines, without a panel.
    ///
    /// # Errors
    /// When the output is gone.
    pub fn print(&mut self, lines: &[Line]) -> io::Result<()> {
        match &mut self.0 {
            Some(live) => live.print(lines),
            None => {
                lines.iter().for_each(|line| println!("{}", line.text()));
                Ok(())
            }
        }
    }
}

impl View for Screen {
    fn show(&mut self, lines: &[Line], state: &State<'_>) -> io::Result<()> {
        match &mut self.0 {
            Some(live) => live.show(lines, state),
            None => Plain.show(lines, state),
        }
    }

    fn end(&mut self) {
        if let Some(live) = &self.0 {
            live.bar.finish_and_clear();
        }
    }

    fn shows_state(&self) -> bool {
        self.0.is_some()
    }
}

impl Live {
    fn show(&mut self, lines: &[Line], state: &State<'_>) -> io::Result<()> {
        let size = self.term.size();
        if size != self.size {
            self.size = size;
            self.again()?;
        }
        self.print(lines)?;
        let (height, width) = (usize::from(size.0), usize::from(size.1));
        let panel = panel(state, width.saturating_sub(1));
        let shown = panel.iter().take(height.saturating_sub(1));
        let text: Vec<String> = shown.map(|line| coloured(line, width)).collect();
        self.bar.set_message(text.join("\n"));
        Ok(())
    }

    fn print(&mut self, lines: &[Line]) -> io::Result<()> {
        let width = usize::from(self.size.1);
        for line in lines {
            line.wrapped(width.saturating_sub(1))
                .iter()
                .for_each(|part| self.bar.println(coloured(part, width)));
            self.kept.push_back(line.clone());
        }
        while self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        Ok(())
    }

    /// Draws everything for another size: terminals break and join lines that were written for the one before.
    fn again(&mut self) -> io::Result<()> {
        let (height, width) = (usize::from(self.size.0), usize::from(self.size.1));
        let lines: Vec<Line> =
            self.kept.iter().flat_map(|line| line.wrapped(width.saturating_sub(1))).collect();
        let mut last = lines.iter().skip(lines.len().saturating_sub(height));
        self.bar.suspend(|| {
            self.term.clear_screen()?;
            last.try_for_each(|line| self.term.write_line(&coloured(line, width)))
        })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // The panel of an unfinished guide stays where it is: it shows how far it came.
        if !self.bar.is_finished() {
            self.bar.abandon();
        }
    }
}

/// With escape codes where the terminal wants them, cut so that it never wraps: a full line makes some terminals do so.
fn coloured(line: &Line, width: usize) -> String {
    let all: String =
        line.words().iter().map(|(tone, text)| style(*tone).apply_to(text).to_string()).collect();
    truncate_str(&all, width.saturating_sub(1), "").into_owned()
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Dim => Style::new().dim(),
        Tone::Bold => Style::new().bold(),
        Tone::Good => Style::new().green(),
        Tone::Bad => Style::new().red().bold(),
        Tone::Warn | Tone::Canary => Style::new().yellow(),
        Tone::Primary => Style::new().cyan(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_never_exceed_the_terminal() {
        let line = Line::of(Tone::Plain, "abc").and(Tone::Bad, "def").and(Tone::Plain, "ghi");
        let check = |width: usize, shown: &str| {
            assert_eq!(console::strip_ansi_codes(&coloured(&line, width)), shown);
        };
        check(5, "abcd");
        check(80, "abcdefghi");
    }
}
