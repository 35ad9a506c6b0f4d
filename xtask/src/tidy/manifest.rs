//! Manifests: versions in one place, sorted, lints inherited, and what a registry shows of a published crate.

use super::{finding::Finding, finding::Rule};

static VERSION: Rule =
    Rule::new("version", "every version is in the root manifest, so that there is one of each in the tree");
static SORTED: Rule = Rule::new("sorted", "a sorted list has one place for each line, and no conflicts");
static LINTS: Rule = Rule::new("lints", "every crate inherits the lints: `[lints] workspace = true`");
static INHERITS: Rule = Rule::new("inherits", "edition, version and licence are the workspace's");
static PUBLISH: Rule = Rule::new(
    "publish",
    "a crate says `publish.workspace = true` (it is not published), or has what a registry shows of it",
);
static UNSAFE: Rule = Rule::new("unsafe", "the whole tree forbids `unsafe`: `unsafe_code = \"forbid\"`");

/// A manifest, as far as rules look at it.
pub struct Manifest {
    /// Path from the root of the repository.
    pub path: String,
    /// Its lines `key = value`, comments and blank lines left out.
    pub entries: Vec<Entry>,
}

/// One line.
pub struct Entry {
    /// From 1.
    pub line: usize,
    /// Its table: `dev-dependencies`.
    pub table: String,
    /// What is before the first point or equals sign.
    pub name: String,
    /// What comes after it.
    pub value: String,
}

impl Manifest {
    /// Reads one. Each entry is on one line, as the rules want it.
    pub fn parse(path: &str, text: &str) -> Manifest {
        let mut table = String::new();
        let mut entries = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.split(" #").next().unwrap_or_default().trim();
            if let Some(name) = text.strip_prefix('[') {
                table = name.trim_end_matches(']').to_owned();
            } else if let Some(at) = text.find(['.', ' ', '=']).filter(|_| !text.starts_with('#')) {
                let (name, value) = text.split_at(at);
                let (name, value) = (name.to_owned(), value.to_owned());
                entries.push(Entry { line, table: table.clone(), name, value });
            }
        }
        Manifest { path: path.to_owned(), entries }
    }

    /// The lines of every table of dependencies.
    pub fn dependencies(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.table.ends_with("dependencies"))
    }

    /// Whether this is the workspace's.
    pub fn is_root(&self) -> bool {
        self.path == "Cargo.toml"
    }

    fn says(&self, table: &str, name: &str, value: &str) -> bool {
        let found = |entry: &&Entry| entry.table == table && entry.name == name;
        self.entries.iter().find(found).is_some_and(|entry| entry.value.contains(value))
    }
}

/// Checks one manifest.
pub fn check(manifest: &Manifest, found: &mut Vec<Finding>) {
    if manifest.is_root() {
        if !manifest.says("workspace.lints.rust", "unsafe_code", "forbid") {
            found.push(UNSAFE.broken(&manifest.path, 1, "`unsafe` is not forbidden"));
        }
    } else {
        inherits(manifest, found);
    }
    sorted(manifest, found);
}

fn inherits(manifest: &Manifest, found: &mut Vec<Finding>) {
    if !manifest.says("lints", "workspace", "true") {
        found.push(LINTS.broken(&manifest.path, 1, "no lints"));
    }
    publish(manifest, found);
    for name in ["version", "edition", "rust-version", "license"] {
        if !manifest.says("package", name, "workspace") {
            found.push(INHERITS.broken(
                &manifest.path,
                1,
                format!("`{name}` is not `{name}.workspace = true`"),
            ));
        }
    }
    for entry in manifest.dependencies() {
        if !entry.value.contains("workspace = true") {
            found.push(VERSION.broken(
                &manifest.path,
                entry.line,
                format!("`{}` is not the workspace's", entry.name),
            ));
        }
    }
}

/// What a registry shows of a crate, unless it inherits `publish = false`.
fn publish(manifest: &Manifest, found: &mut Vec<Finding>) {
    if manifest.says("package", "publish", "workspace") {
        return;
    }
    let shown = [
        ("package", "description", "\""),
        ("package", "readme", ""),
        ("package", "keywords", "["),
        ("package.metadata.docs.rs", "all-features", "true"),
    ];
    for (table, name, value) in shown {
        if !manifest.says(table, name, value) {
            found.push(PUBLISH.broken(&manifest.path, 1, format!("`{table}` has no `{name}`")));
        }
    }
}

/// Our own crates among themselves, and all others among themselves.
fn sorted(manifest: &Manifest, found: &mut Vec<Finding>) {
    let mut last: [(&str, &str); 2] = [("", ""); 2];
    for entry in manifest.dependencies() {
        let [others, ours] = &mut last;
        let before = if entry.name.starts_with("vexil-") { ours } else { others };
        if before.0 == entry.table && before.1 > entry.name.as_str() {
            let what = format!("`{}` comes after `{}`", entry.name, before.1);
            found.push(SORTED.broken(&manifest.path, entry.line, what));
        }
        *before = (&entry.table, &entry.name);
    }
}
