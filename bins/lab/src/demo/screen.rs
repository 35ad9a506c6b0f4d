//! Where it is shown: plain lines, or a terminal whose last lines are a panel, redrawn under the lines that stay.

use std::io::{self, IsTerminal as _, Write as _};

use super::paint::Line;

const HIDE_CURSOR: &str = "\x1b[?25l";
const SHOW_CURSOR: &str = "\x1b[?25h";
const CLEAR_BELOW: &str = "\x1b[J";
const CLEAR_REST: &str = "\x1b[K";

/// What is assumed of a terminal that does not tell its size.
const USUAL: (usize, usize) = (100, 30);

/// The output.
#[derive(Debug)]
pub struct Screen {
    live: bool,
    colour: bool,
    /// Lines of the panel that stand on the terminal now.
    drawn: usize,
}

impl Screen {
    /// The terminal; plain lines when that is asked for or the output is none.
    pub fn open(plain: bool) -> Self {
        let live = !plain && io::stdout().is_terminal();
        let colour = live && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        let screen = Screen { live, colour, drawn: 0 };
        if live {
            // A terminal that cannot hide its cursor shows it.
            let _shown = put(HIDE_CURSOR);
        }
        screen
    }

    /// Whether a panel is shown.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Columns.
    pub fn width(&self) -> usize {
        size().0
    }

    /// Adds lines that stay, and redraws the panel under them, in one write so that nothing flickers.
    ///
    /// # Errors
    /// When the output is gone.
    pub fn show(&mut self, lines: &[Line], panel: &[Line]) -> io::Result<()> {
        if !self.live {
            let text: String = lines.iter().map(|line| line.text() + "\n").collect();
            return if text.is_empty() { Ok(()) } else { put(&text) };
        }
        let (width, height) = size();
        let panel = panel.get(..height.saturating_sub(1).min(panel.len())).unwrap_or_default();
        let mut text = self.back();
        // One column is left free: a full line makes some terminals wrap.
        let lines = lines.iter().flat_map(|line| line.wrapped(width - 1));
        for line in lines.chain(panel.iter().cloned()) {
            let shown = if self.colour {
                line.coloured(width - 1)
            } else {
                line.text().chars().take(width - 1).collect()
            };
            text.push_str(&format!("{shown}{CLEAR_REST}\n"));
        }
        text.push_str(CLEAR_BELOW);
        self.drawn = panel.len();
        put(&text)
    }

    /// To the first line of the panel.
    fn back(&self) -> String {
        if self.drawn == 0 { String::new() } else { format!("\x1b[{}A\r", self.drawn) }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.live {
            // The panel of an unfinished show stays where it is: it says how far it came.
            let _shown = put(SHOW_CURSOR);
        }
    }
}

fn put(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Columns and lines.
fn size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 1 && size.ws_row > 1 => (size.ws_col.into(), size.ws_row.into()),
        _ => USUAL,
    }
}
