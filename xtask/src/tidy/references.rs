//! References of comments and pages resolve: files, links and their headings, rows and tests of the fault catalogue.

use std::collections::BTreeMap;

use super::{
    finding::{Finding, Rule},
    shape::mentions,
    tree::Tree,
};
use crate::path::joined;

static FILE: Rule = Rule::new(
    "reference",
    "a comment or page names only files of this repository: write the reason in place, or link to a page in docs/",
);
static LINK: Rule =
    Rule::new("link", "a link leads to a file of this repository, and to a heading that it has");
static OUTSIDE: Rule = Rule::new(
    "outside",
    "sections and rows of other documents cannot be read here: write the reason in place; Flagger is `Flagger`",
);

/// Folders whose paths are checked wherever they are named.
const FOLDERS: [&str; 11] = [
    "bins/",
    "charts/",
    "crates/",
    "crds/",
    "docs/",
    "examples/",
    "images/",
    "kustomize/",
    "tools/",
    "xtask/",
    ".ci/",
];

static TEST: Rule = Rule::new("fault-test", "the fault catalogue names tests and stories that exist");

/// The page whose rows (`F12`) comments may name.
const FAULTS: &str = "docs/faults.md";

/// Checks comments of sources, and pages.
pub fn check(tree: &Tree, found: &mut Vec<Finding>) {
    let names = Names::of(tree);
    for source in &tree.sources {
        for (number, line) in (1..).zip(source.split.comments.lines()) {
            check_line(&names, &source.path, number, line, found);
            for id in fault_ids(line).filter(|id| !has_row(tree, id)) {
                found.push(OUTSIDE.broken(&source.path, number, format!("`{id}` is no row of {FAULTS}")));
            }
        }
    }
    for (path, text) in &tree.pages {
        for (number, line) in (1..).zip(text.lines()) {
            check_line(&names, path, number, line, found);
            if path == FAULTS {
                tests(line).filter(|name| !is_test(tree, name)).for_each(|name| {
                    found.push(TEST.broken(path, number, format!("there is no `{name}`")));
                });
            }
            links(line).filter_map(|link| broken_link(tree, path, link)).for_each(|what| {
                found.push(LINK.broken(path, number, what));
            });
        }
    }
}

/// The files of the repository, to be found by their names.
struct Names<'a> {
    tree: &'a Tree,
    /// By name: the paths without `src/`.
    short: BTreeMap<&'a str, Vec<String>>,
}

fn check_line(names: &Names<'_>, path: &str, number: usize, line: &str, found: &mut Vec<Finding>) {
    for name in line.split_whitespace().filter(|word| !word.contains("://")).flat_map(paths) {
        if !names.has(path, name) {
            found.push(FILE.broken(path, number, format!("`{name}` is not in the repository")));
        }
    }
    let lower = line.to_lowercase();
    let numbered = lower.split("section ").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if numbered {
        found.push(OUTSIDE.broken(path, number, "a section by its number"));
    }
    for words in ["the reference's", "the reference ", "the reference,", "the reference.", "(design, "] {
        if lower.contains(words) {
            found.push(OUTSIDE.broken(path, number, format!("`{}`", words.trim())));
        }
    }
}

/// What looks like the path of a file or folder in a word.
fn paths(word: &str) -> impl Iterator<Item = &str> {
    let part = |c: char| c.is_ascii_alphanumeric() || "_-./*<>{}$".contains(c);
    let names = word.split(move |c| !part(c)).map(|name| name.trim_end_matches('.').trim_start_matches("./"));
    names.filter(|name| {
        let file = [".md", ".rs"].iter().any(|end| name.ends_with(end) && name.len() > end.len());
        let folder = FOLDERS.iter().any(|folder| name.starts_with(folder));
        let pattern = name.contains(['*', '<', '{', '$']) || name.contains("..");
        (file || folder) && !pattern && !name.starts_with('/')
    })
}

impl<'a> Names<'a> {
    fn of(tree: &'a Tree) -> Self {
        let mut short: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for path in &tree.files {
            let name = path.rsplit('/').next().unwrap_or_default();
            short.entry(name).or_default().push(path.replace("/src/", "/"));
        }
        Names { tree, short }
    }

    /// Whether a file or folder has this path, from the root or from the folder of the file that names it. A file may
    /// have a shorter form: `lower.rs`, `plan/lower.rs`.
    fn has(&self, from: &str, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        let is = |path: &str| self.tree.files.contains(path) || self.tree.has_folder(path);
        let ends = |path: &String| {
            path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        let alike = name.rsplit('/').next().and_then(|last| self.short.get(last));
        let beside = from.rsplit_once('/').map(|(folder, _)| format!("{folder}/{name}"));
        is(name) || beside.is_some_and(|path| is(&path)) || alike.is_some_and(|paths| paths.iter().any(ends))
    }
}

/// The targets of Markdown links in a line.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// What is wrong with a link of a page.
fn broken_link(tree: &Tree, page: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (target, heading) = link.split_once('#').unwrap_or((link, ""));
    let path = if target.is_empty() { page.to_owned() } else { joined(page, target) };
    if !tree.files.contains(&path) && !tree.has_folder(&path) {
        return Some(format!("`{link}`: there is no {path}"));
    }
    let text = tree.pages.iter().find(|(name, _)| *name == path).map(|(_, text)| text);
    let lost = text.filter(|text| !heading.is_empty() && !anchors(text).any(|anchor| anchor == heading));
    lost.map(|_| format!("`{link}`: {path} has no such heading"))
}

/// The anchors that a forge gives to the headings of a page.
fn anchors(page: &str) -> impl Iterator<Item = String> {
    page.lines().filter(|line| line.starts_with('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().replace(' ', "-")
    })
}

/// Names of tests and stories between backticks.
fn tests(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        let test =
            name.matches('_').count() > 1 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        test || name.ends_with(".txt")
    })
}

fn is_test(tree: &Tree, name: &str) -> bool {
    let file = format!("/{name}");
    tree.files.iter().any(|path| path.ends_with(&file))
        || tree.sources.iter().any(|source| mentions(&source.split.code, name))
}

/// Words such as `F12` and `S3`.
fn fault_ids(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| {
        let digits = word.strip_prefix(['F', 'S', 'M']).unwrap_or_default();
        !digits.is_empty() && digits.len() < 3 && digits.chars().all(|c| c.is_ascii_digit())
    })
}

fn has_row(tree: &Tree, id: &str) -> bool {
    let page = tree.pages.iter().find(|(path, _)| path == FAULTS);
    page.is_some_and(|(_, text)| text.lines().any(|line| line.starts_with(&format!("| {id} "))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tree::{Source, Tree};
    use super::check;

    const CATALOGUE: &str = "# What `may` fail\n| F1 | a | `it_is_tested` |\n";

    /// Which references of a comment and of a page do not resolve.
    #[track_caller]
    fn expect(comment: &str, page: &str, broken: &[&str]) {
        let files =
            ["crates/kube/src/watch.rs", "crates/kube/src/a.rs", "docs/a.md", "docs/faults.md", ".ci/run"];
        let mut tree = Tree {
            sources: vec![Source::parse(
                "crates/kube/src/a.rs",
                &format!("//! {comment}\nfn it_is_tested() {{}}\n"),
            )],
            manifests: Vec::new(),
            stories: Vec::new(),
            architecture: String::new(),
            differences: String::new(),
            files: files.iter().map(|&path| path.to_owned()).collect::<BTreeSet<_>>(),
            pages: vec![
                ("docs/a.md".to_owned(), page.to_owned()),
                ("docs/faults.md".to_owned(), CATALOGUE.to_owned()),
            ],
        };
        tree.files.insert("docs/guides/README.md".to_owned());
        let mut found = Vec::new();
        check(&tree, &mut found);
        let found: Vec<String> =
            found.iter().map(|f| format!("{}:{}: {}", f.file, f.rule.name, f.what)).collect();
        assert_eq!(found, broken, "{comment} {page}");
    }

    #[test]
    fn files_are_found_by_their_path_or_its_end() {
        expect(
            "See `watch.rs`, `kube/watch.rs`, `docs/a.md` and crates/kube/.",
            "`crates/kube/src/a.rs`",
            &[],
        );
        expect("Not `https://example.com/b.md` and not `crates/<name>/b.rs`.", "", &[]);
        expect("`b.md` 14.1", "", &["crates/kube/src/a.rs:reference: `b.md` is not in the repository"]);
        expect("", "in `crates/kafka/`", &["docs/a.md:reference: `crates/kafka/` is not in the repository"]);
    }

    #[test]
    fn other_documents_cannot_be_cited() {
        expect("An owner reference.", "", &[]);
        expect("(plan, section 3)", "", &["crates/kube/src/a.rs:outside: a section by its number"]);
        expect("As the reference does.", "", &["crates/kube/src/a.rs:outside: `the reference`"]);
        expect("F1 and F2", "", &["crates/kube/src/a.rs:outside: `F2` is no row of docs/faults.md"]);
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        expect(
            "",
            "[a](faults.md#what-may-fail) [b](guides/README.md) [c](../.ci/run) [d](https://a.b/c.md)",
            &[],
        );
        expect(
            "",
            "[a](b.md)",
            &[
                "docs/a.md:reference: `b.md` is not in the repository",
                "docs/a.md:link: `b.md`: there is no docs/b.md",
            ],
        );
        expect(
            "",
            "[a](faults.md#b)",
            &["docs/a.md:link: `faults.md#b`: docs/faults.md has no such heading"],
        );
    }
}
