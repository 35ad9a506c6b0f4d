//! What is known to differ between the testbed and a real server, and why that stays.

use anyhow::Context as _;

use super::compare::{Difference, matches};

/// The list, with how often each line was needed.
pub struct Known {
    lines: Vec<Line>,
}

struct Line {
    scene: String,
    path: String,
    reason: String,
    used: usize,
}

impl Known {
    /// Reads lines of `beginning of a scene's name | path | reason`; `*` stands for every scene.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let read: anyhow::Result<Vec<Line>> = lines
            .map(|line| {
                let mut parts = line.splitn(3, '|').map(|part| part.trim().to_owned());
                let mut next =
                    || parts.next().filter(|part| !part.is_empty()).with_context(|| line.to_owned());
                Ok(Line { scene: next()?, path: next()?, reason: next()?, used: 0 })
            })
            .collect();
        Ok(Known { lines: read? })
    }

    /// Whether a difference is known.
    pub fn covers(&mut self, scene: &str, difference: &Difference) -> bool {
        let known = self.lines.iter_mut().find(|line| {
            (line.scene == "*" || scene.starts_with(&line.scene)) && matches(&line.path, &difference.path)
        });
        known.map(|line| line.used += 1).is_some()
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Lines that no difference needed.
    pub fn unused(&self) -> impl Iterator<Item = String> {
        let unused = self.lines.iter().filter(|line| line.used == 0);
        unused.map(|line| format!("{} | {} | {}", line.scene, line.path, line.reason))
    }
}
