//! The links of a site: every one that does not leave it leads to a file, and to an element of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::path::joined;

/// Pages that repeat others, with links that are relative to those.
const REPEATED: [&str; 2] = ["print.html", "404.html"];

/// Checks the site in a folder. Returns how many pages it has.
pub fn check(site: &Path) -> anyhow::Result<usize> {
    let mut files = BTreeMap::new();
    read(site, site, &mut files)?;
    let defects = broken(&files);
    if !defects.is_empty() {
        bail!("links of the book that lead nowhere:\n{}", defects.join("\n"));
    }
    Ok(files.keys().filter(|path| is_page(path)).count())
}

fn is_page(path: &str) -> bool {
    path.ends_with(".html") && !REPEATED.contains(&path)
}

/// The files by path; the text of those that are no pages is empty.
fn read(site: &Path, folder: &Path, files: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path: PathBuf = entry?.path();
        if path.is_dir() {
            read(site, &path, files)?;
            continue;
        }
        let name = path.strip_prefix(site).unwrap_or(&path).to_string_lossy().into_owned();
        let text = if is_page(&name) { fs::read_to_string(&path)? } else { String::new() };
        files.insert(name, text);
    }
    Ok(())
}

/// The links that lead nowhere, with their pages.
fn broken(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut defects = Vec::new();
    for (page, text) in files.iter().filter(|(path, _)| is_page(path)) {
        for link in links(text) {
            let (target, id) = link.split_once('#').unwrap_or((link, ""));
            let path = if target.is_empty() { page.clone() } else { joined(page, target) };
            let found = files.get(&path);
            let has = |text: &String| id.is_empty() || text.contains(&format!("id=\"{id}\""));
            if !found.is_some_and(|text| has(text) || !is_page(&path)) {
                defects.push(format!("{page}: {link}"));
            }
        }
    }
    defects
}

/// The links of a page to others of the site.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    targets.filter(|target| !target.contains(':') && !target.is_empty() && *target != "#")
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn a_link_needs_a_file_and_an_element() {
        let files = [
            (
                "index.html",
                r##"<a href="a/b.html#c"> <a href="a/b.html#d"> <a href="e.html"> <a href="https://f">"##,
            ),
            ("a/b.html", r##"<h1 id="c"> <a href="../index.html"> <a href="#g"> <link href="../x.css">"##),
            ("x.css", ""),
        ];
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        assert_eq!(broken(&files), ["a/b.html: #g", "index.html: a/b.html#d", "index.html: e.html"]);
    }
}
