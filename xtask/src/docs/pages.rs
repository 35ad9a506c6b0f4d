//! The pages that readers see, and the list of those that are in the book.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, bail};
use vexil_launcher::root;

/// A page in Markdown.
pub struct Page {
    /// Its path from the root of the repository.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The list of the book's pages.
const SUMMARY: &str = "docs/SUMMARY.md";

/// Pages outside of `docs/`.
const OTHERS: [&str; 4] =
    ["README.md", "CONTRIBUTING.md", "charts/vexil/README.md", "charts/loadtester/README.md"];

/// All pages, by path.
pub fn load() -> anyhow::Result<Vec<Page>> {
    let mut paths: Vec<String> = OTHERS.iter().map(|path| (*path).to_owned()).collect();
    collect("docs", &mut paths)?;
    paths.sort();
    let page = |path: String| {
        let text = fs::read_to_string(root().join(&path)).with_context(|| format!("reading {path}"))?;
        Ok(Page { path, text })
    };
    paths.into_iter().map(page).collect()
}

fn collect(folder: &str, paths: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = fs::read_dir(root().join(folder)).with_context(|| format!("listing {folder}"))?;
    for entry in entries {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&path, paths)?;
        } else if Path::new(&path).extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    Ok(())
}

/// Each page of `docs/` must be in the book once. Returns how many there are.
pub fn listed(pages: &[Page]) -> anyhow::Result<usize> {
    let summary = pages.iter().find(|page| page.path == SUMMARY).context("there is no docs/SUMMARY.md")?;
    let listed: Vec<String> = summary
        .text
        .lines()
        .filter_map(|line| Some(line.split_once("](")?.1.split_once(')')?.0))
        .map(|target| format!("docs/{target}"))
        .collect();
    let there: BTreeSet<&str> = pages.iter().map(|page| page.path.as_str()).collect();
    let mut defects = Vec::new();
    for path in there.iter().filter(|path| path.starts_with("docs/") && **path != SUMMARY) {
        match listed.iter().filter(|listed| listed == path).count() {
            1 => {}
            count => defects.push(format!("{path} is listed {count} times")),
        }
    }
    defects.extend(
        listed.iter().filter(|path| !there.contains(path.as_str())).map(|path| format!("there is no {path}")),
    );
    if !defects.is_empty() {
        bail!("{SUMMARY}: {}", defects.join("; "));
    }
    Ok(listed.len())
}
