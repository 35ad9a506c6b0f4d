//! The commands that pages show: programs have the commands and flags, charts the values, the workspace the packages.
//!
//! Whether the commands of the guides do what the pages say is another matter: `cargo xtask guides` runs them.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, bail};
use serde_json::Value;
use vexil_launcher::root;

use super::{
    help::Helpful,
    pages::Page,
    shell::{Command, commands},
};
use crate::charts::{helm, runs};

/// The flags of the operator, as its own test writes them.
const FLAGS: &str = "docs/reference/flags.md";

/// Checks the commands of all pages. Returns how many there are.
pub fn check(pages: &[Page], xtask: &clap::Command) -> anyhow::Result<usize> {
    let mut checks = Checks::new(pages, xtask)?;
    let (mut count, mut defects) = (0, Vec::new());
    for page in pages {
        for (line, block) in shell_blocks(&page.text) {
            for command in commands(block) {
                count += 1;
                if let Some(defect) = checks.defect(&command) {
                    defects.push(format!("{}:{}: {defect}", page.path, line + command.line));
                }
            }
        }
    }
    if !defects.is_empty() {
        bail!("commands that do not exist:\n{}", defects.join("\n"));
    }
    Ok(count)
}

/// The fenced blocks in the language `sh`, each with the line where its text begins, from 1.
fn shell_blocks(page: &str) -> Vec<(usize, &str)> {
    let mut blocks = Vec::new();
    let mut at = 0;
    let mut open: Option<(usize, usize, bool)> = None;
    for (number, line) in (1..).zip(page.split_inclusive('\n')) {
        let next = at + line.len();
        if let Some(language) = line.trim_start().strip_prefix("```") {
            match open.take() {
                None => open = Some((number + 1, next, language.split_whitespace().next() == Some("sh"))),
                Some((first, from, true)) => blocks.push((first, page.get(from..at).unwrap_or_default())),
                Some(_) => {}
            }
        }
        at = next;
    }
    blocks
}

struct Checks<'a> {
    kubectl: Option<Helpful>,
    helm: Option<Helpful>,
    xtask: &'a clap::Command,
    packages: BTreeSet<String>,
    flags: BTreeSet<String>,
}

impl<'a> Checks<'a> {
    fn new(pages: &[Page], xtask: &'a clap::Command) -> anyhow::Result<Self> {
        let kubectl = runs(Path::new("kubectl"), "--help").then(|| Helpful::new("kubectl", &["options"]));
        let helm = helm()?.map(|path| Helpful::new(path, &["--help"]));
        for (name, there) in [("kubectl", kubectl.is_some()), ("helm", helm.is_some())] {
            if !there {
                println!("docs: SKIPPED: flags of {name} commands: there is no {name}");
            }
        }
        let flags = pages.iter().find(|page| page.path == FLAGS).with_context(|| format!("no {FLAGS}"))?;
        let flag = |line: &str| Some(line.strip_prefix("| `-")?.split_once('`')?.0.to_owned());
        let flags = flags.text.lines().filter_map(flag).collect();
        Ok(Checks { kubectl, helm, xtask, packages: packages()?, flags })
    }

    /// What is wrong with a command, if it is of a program that is known here.
    fn defect(&mut self, command: &Command) -> Option<String> {
        let assigns = |word: &&String| word.contains('=') && !word.starts_with('-');
        let words: Vec<String> = command.words.iter().skip_while(assigns).cloned().collect();
        let (program, arguments) = words.split_first()?;
        let what = match program.rsplit('/').next()? {
            "kubectl" => self.kubectl.as_mut()?.unknown(arguments),
            "helm" => self.helm.as_mut()?.unknown(arguments).or_else(|| unknown_value(arguments)),
            "cargo" => self.cargo(arguments),
            "vexil" => self.vexil(arguments),
            _ => None,
        };
        what.map(|what| format!("{program} {what}"))
    }

    fn vexil(&self, arguments: &[String]) -> Option<String> {
        let names = arguments.iter().filter(|word| word.starts_with('-'));
        let mut names = names.map(|word| word.trim_start_matches('-').split('=').next().unwrap_or_default());
        let unknown = names.find(|name| !self.flags.contains(*name) && *name != "help")?;
        Some(format!("has no flag -{unknown}"))
    }

    fn cargo(&self, arguments: &[String]) -> Option<String> {
        if let [xtask, name, rest @ ..] = arguments
            && xtask == "xtask"
        {
            let Some(chore) = self.xtask.find_subcommand(name) else {
                return Some(format!("xtask has no command {name}"));
            };
            // The lab parses the arguments of its commands itself.
            let of_lab = chore.get_arguments().any(clap::Arg::is_trailing_var_arg_set);
            let known = |flag: &str| chore.get_arguments().any(|of| of.get_long() == Some(flag));
            let flags = rest.iter().filter_map(|word| word.strip_prefix("--"));
            let unknown = flags.filter(|_| !of_lab).find(|flag| !known(flag))?;
            return Some(format!("xtask {name} has no flag --{unknown}"));
        }
        let named = arguments.iter().zip(arguments.iter().skip(1));
        let mut named = named.filter(|(flag, _)| *flag == "-p" || *flag == "--package");
        let (_, package) = named.find(|(_, package)| !self.packages.contains(*package))?;
        Some(format!("knows no package {package}"))
    }
}

/// A value of `--set` that a chart of this repository does not have.
fn unknown_value(arguments: &[String]) -> Option<String> {
    let chart = arguments.iter().find_map(|word| word.strip_prefix("./charts/"))?;
    let text = fs::read_to_string(root().join("charts").join(chart).join("values.yaml")).ok()?;
    let values: Value = serde_saphyr::from_str(&text).ok()?;
    let sets = arguments.iter().zip(arguments.iter().skip(1)).filter(|(flag, _)| *flag == "--set");
    for path in sets.filter_map(|(_, set)| set.split_once('=')).map(|(path, _)| path) {
        let mut node = &values;
        for step in path.split('.') {
            match node.get(step) {
                Some(value) => node = value,
                // Keys of a map that is empty by default are the user's.
                None if node.as_object().is_some_and(|map| map.is_empty()) => break,
                None => return Some(format!("sets {path}, which charts/{chart} does not have")),
            }
        }
    }
    None
}

/// The names of the workspace's packages.
fn packages() -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for folder in ["crates", "bins"] {
        for entry in fs::read_dir(root().join(folder)).with_context(|| format!("listing {folder}"))? {
            let manifest = fs::read_to_string(entry?.path().join("Cargo.toml")).unwrap_or_default();
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = \""));
            names.extend(name.map(|name| name.trim_end_matches('"').to_owned()));
        }
    }
    names.insert("xtask".to_owned());
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::shell_blocks;

    #[test]
    fn blocks_of_other_languages_are_no_commands() {
        let page = "a\n```sh\nb\n```\n```text\nc\n```\n  ```sh helm\n  d\n  ```\n";
        assert_eq!(shell_blocks(page), [(3, "b\n"), (9, "  d\n")]);
    }
}
