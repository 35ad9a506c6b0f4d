//! The flags of a program and its commands, as its own help lists them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Command,
};

use crate::charts::said;

/// A program whose help is asked for.
pub struct Helpful {
    path: PathBuf,
    /// Arguments that list flags of every command.
    global: &'static [&'static str],
    asked: BTreeMap<Vec<String>, Option<Help>>,
}

/// The help of one command.
#[derive(Clone, Default)]
struct Help {
    flags: BTreeSet<String>,
    text: String,
}

impl Helpful {
    /// The program at this path.
    pub fn new(path: impl Into<PathBuf>, global: &'static [&'static str]) -> Self {
        Helpful { path: path.into(), global, asked: BTreeMap::new() }
    }

    /// What of the words after the program's name its help does not know: the command, or flags.
    pub fn unknown(&mut self, words: &[String]) -> Option<String> {
        let own = words.split(|word| word == "--").next().unwrap_or_default();
        let mut command: Vec<String> = Vec::new();
        let mut flags: Vec<&str> = Vec::new();
        let mut skips = false;
        for word in own {
            if word.starts_with('-') && word.len() > 1 {
                flags.push(word.split('=').next().unwrap_or_default());
                // `-n test` before the command.
                skips = command.is_empty() && !word.contains('=');
            } else if !std::mem::take(&mut skips) && self.is_command(&command, word) {
                command.push(word.clone());
            }
        }
        let Some(help) = self.ask(&command).cloned().filter(|_| !command.is_empty()) else {
            return Some(format!("has no command `{}`", words.join(" ")));
        };
        let global = self.ask_global();
        let known = |flag: &&&str| help.flags.contains(**flag) || global.contains(**flag);
        let unknown = flags.iter().find(|flag| !known(flag))?;
        Some(format!("{} has no flag {unknown}", command.join(" ")))
    }

    /// Whether a word is a command below another one, and no argument.
    fn is_command(&mut self, above: &[String], word: &str) -> bool {
        let below = [above, &[word.to_owned()]].concat();
        if above.is_empty() {
            return self.ask(&below).is_some();
        }
        let listed = |help: &Help| {
            let commands = help.text.split("Available Commands:").nth(1).unwrap_or_default();
            commands.lines().any(|line| line.split_whitespace().next() == Some(word))
        };
        above.len() < 3 && self.ask(above).is_some_and(listed)
    }

    fn ask(&mut self, command: &[String]) -> Option<&Help> {
        let path = &self.path;
        let asked = self.asked.entry(command.to_vec()).or_insert_with(|| {
            let mut program = Command::new(path);
            program.args(command).arg("--help");
            let text = said(program).ok()?;
            Some(Help { flags: flags(&text), text })
        });
        asked.as_ref()
    }

    fn ask_global(&mut self) -> BTreeSet<String> {
        let mut program = Command::new(&self.path);
        program.args(self.global);
        said(program).map(|text| flags(&text)).unwrap_or_default()
    }
}

/// The words of a help that are flags: `-n, --namespace string`, `--set=[]:`.
fn flags(help: &str) -> BTreeSet<String> {
    let words = help.split_whitespace().filter(|word| word.starts_with('-'));
    let end = |word: &str| word.find(['=', ',', ':', '[']).unwrap_or(word.len());
    words.filter_map(|word| word.get(..end(word))).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::flags;

    #[test]
    fn flags_are_found_in_either_style() {
        let help = "    -o, --output='':\n\tOutput format\n  -i, --install   if a release\n      --set stringArray  set";
        let found: Vec<String> = flags(help).into_iter().collect();
        assert_eq!(found, ["--install", "--output", "--set", "-i", "-o"]);
    }
}
