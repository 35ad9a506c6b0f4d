//! The repository as it is checked: sources, manifests, pages, and which code is only for tests.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Context;

use super::{
    manifest::Manifest,
    split::{Split, split},
    uses::{self, Use},
};

/// The repository as text.
pub struct Tree {
    /// Every Rust source.
    pub sources: Vec<Source>,
    /// Every manifest, the root's included.
    pub manifests: Vec<Manifest>,
    /// The stories of the engine: path and text.
    pub stories: Vec<(String, String)>,
    /// `docs/architecture.md`.
    pub architecture: String,
    /// `docs/differences.md`.
    pub differences: String,
    /// Every file, as a path from the root.
    pub files: BTreeSet<String>,
    /// Every Markdown file: path and text.
    pub pages: Vec<(String, String)>,
}

impl Tree {
    /// Reads it.
    pub fn load(root: &Path) -> anyhow::Result<Tree> {
        let mut files = Vec::new();
        collect(root, "", &mut files)?;
        let read =
            |path: &str| fs::read_to_string(root.join(path)).with_context(|| format!("reading {path}"));
        let mut tree = Tree {
            sources: Vec::new(),
            manifests: vec![Manifest::parse("Cargo.toml", &read("Cargo.toml")?)],
            stories: Vec::new(),
            // An absent page lacks everything, which the rules about it tell.
            architecture: read("docs/architecture.md").unwrap_or_default(),
            differences: read("docs/differences.md").unwrap_or_default(),
            files: files.iter().cloned().collect(),
            pages: Vec::new(),
        };
        for path in files {
            if path.ends_with(".md") {
                let text = read(&path)?;
                tree.pages.push((path, text));
            } else if !CODE.iter().any(|folder| path.starts_with(folder)) {
                continue;
            } else if path.ends_with(".rs") {
                tree.sources.push(Source::parse(&path, &read(&path)?));
            } else if path.ends_with("/Cargo.toml") {
                tree.manifests.push(Manifest::parse(&path, &read(&path)?));
            } else if path.contains("/tests/stories/") && path.ends_with(".txt") {
                let text = read(&path)?;
                tree.stories.push((path, text));
            }
        }
        mark_tests(&mut tree.sources);
        Ok(tree)
    }

    /// Whether any file is in this folder.
    pub fn has_folder(&self, path: &str) -> bool {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        self.files.range(prefix.clone()..).next().is_some_and(|file| file.starts_with(&prefix))
    }
}

/// Folders with members of the workspace.
const CODE: [&str; 3] = ["bins/", "crates/", "xtask/"];

/// Every file under a folder, as paths from the root, in order.
fn collect(root: &Path, folder: &str, files: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = fs::read_dir(root.join(folder)).with_context(|| format!("listing {folder}"))?;
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        paths.push((path, entry.file_type()?.is_dir(), name));
    }
    paths.sort();
    for (path, is_folder, name) in paths {
        if !is_folder {
            files.push(path);
        } else if name != "target" && (!name.starts_with('.') || [".ci", ".github"].contains(&name.as_str()))
        {
            collect(root, &path, files)?;
        }
    }
    Ok(())
}

/// One Rust source.
pub struct Source {
    /// Path from the root of the repository.
    pub path: String,
    /// As it is in the file.
    pub text: String,
    /// Taken apart.
    pub split: Split,
    /// What its `use` lines bring in.
    pub uses: Vec<Use>,
    tests: Tests,
}

impl Source {
    /// Reads one.
    pub fn parse(path: &str, text: &str) -> Source {
        let split = split(text);
        let uses = uses::paths(&split.code);
        let mut tests = Tests::of(&split.code);
        tests.whole |= path.contains("/tests/") || path.contains("/benches/") || path.ends_with("/tests.rs");
        Source { path: path.to_owned(), text: text.to_owned(), split, uses, tests }
    }

    /// Lines of code, from 1.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.split.code.lines())
    }

    /// Whether a line is compiled for tests only.
    pub fn in_tests(&self, line: usize) -> bool {
        self.tests.whole || self.tests.spans.iter().any(|(from, to)| (*from..=*to).contains(&line))
    }

    /// Whether all of it is compiled for tests only.
    pub fn is_test(&self) -> bool {
        self.tests.whole
    }

    /// The crate it belongs to, without the folder above: `analysis`, `vexil`, `xtask`.
    pub fn member(&self) -> &str {
        member(&self.path)
    }
}

/// The workspace member that a path belongs to.
pub fn member(path: &str) -> &str {
    let path = path.strip_prefix("crates/").or_else(|| path.strip_prefix("bins/")).unwrap_or(path);
    path.split('/').next().unwrap_or_default()
}

/// What of a source is only for tests.
#[derive(Default)]
struct Tests {
    whole: bool,
    /// First and last lines.
    spans: Vec<(usize, usize)>,
    /// Modules in files of their own.
    modules: Vec<String>,
}

impl Tests {
    /// Follows each `#[cfg(test)]` (or `cfg(any(test, …))`) to the end of its item.
    fn of(code: &str) -> Tests {
        let mut tests = Tests::default();
        for (begin, attribute) in code.match_indices("#[cfg(") {
            let rest = code.get(begin + attribute.len()..).unwrap_or_default();
            let Some((condition, item)) = rest.split_once(']') else { continue };
            let words: Vec<&str> = condition.split(|c: char| !c.is_alphanumeric()).collect();
            if !words.contains(&"test") || words.contains(&"not") {
                continue;
            }
            let length = item_length(item);
            let item = item.get(..length).unwrap_or_default();
            if item.ends_with(';') {
                let name = item.trim_end_matches(';').rsplit(' ').next().unwrap_or_default();
                tests.modules.push(name.to_owned());
            }
            let line = |at: usize| code.get(..at).unwrap_or_default().matches('\n').count() + 1;
            let end = begin + attribute.len() + condition.len() + 1 + length;
            tests.spans.push((line(begin), line(end)));
        }
        tests
    }
}

/// Up to the semicolon, or to the brace that closes the first one.
fn item_length(item: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in item.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 && (c == '}' || c == ';') {
            return at + 1;
        }
    }
    item.len()
}

/// A module that is declared for tests is so with everything below it.
fn mark_tests(sources: &mut [Source]) {
    let mut roots = Vec::new();
    for source in sources.iter() {
        let folder = match source.path.rsplit_once('/') {
            Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder.to_owned(),
            _ => source.path.trim_end_matches(".rs").to_owned(),
        };
        roots.extend(source.tests.modules.iter().map(|module| format!("{folder}/{module}")));
    }
    for source in sources {
        let under = |root: &String| {
            source.path.strip_prefix(root.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        source.tests.whole |= roots.iter().any(under);
    }
}
