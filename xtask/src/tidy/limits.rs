//! Limits are constants with a telling name, and docs/limits.md has each of them with its value.

use super::{
    finding::{Finding, Rule},
    tree::{Source, Tree},
};

static LIMIT: Rule = Rule::new("limit", "docs/limits.md has a row for each limit, with its value");

const PAGE: &str = "docs/limits.md";

/// A constant is a limit if its name has one of these words.
const WORDS: [&str; 5] = ["LARGEST", "LIMIT", "LONGEST", "MAX", "MOST"];

/// Checks the page against the sources.
pub fn check(tree: &Tree, found: &mut Vec<Finding>) {
    let Some((_, page)) = tree.pages.iter().find(|(path, _)| path == PAGE) else {
        found.push(LIMIT.broken(PAGE, 1, "it does not exist"));
        return;
    };
    let mut rows: Vec<(usize, &str)> =
        (1..).zip(page.lines()).filter(|(_, line)| line.starts_with("| ") && line.ends_with("` |")).collect();
    for source in tree.sources.iter().filter(|source| is_product(&source.path)) {
        for (line, name, value) in limits(source) {
            let end = format!(" | `{value}` | `{name}` | `{}` |", source.path);
            let before = rows.len();
            rows.retain(|(_, row)| !row.ends_with(&end));
            if rows.len() == before {
                found.push(LIMIT.broken(&source.path, line, format!("no row ends with {end}")));
            }
        }
    }
    found
        .extend(rows.iter().map(|(line, row)| {
            LIMIT.broken(PAGE, *line, format!("no limit has this name and value: {row}"))
        }));
}

fn is_product(path: &str) -> bool {
    let lab = ["crates/testbed-", "bins/lab/", "xtask/", "examples/", ".ci/", "tools/"];
    !lab.iter().any(|folder| path.starts_with(folder))
}

/// The limits of a source: line, name and value.
fn limits(source: &Source) -> Vec<(usize, &str, &str)> {
    let code = source.code().filter(|(line, _)| !source.in_tests(*line));
    code.filter_map(|(line, code)| limit(code).map(|(name, value)| (line, name, value))).collect()
}

/// Name and value, if the line is the constant of a limit: `const NAME: TYPE = VALUE;`.
fn limit(code: &str) -> Option<(&str, &str)> {
    let (_, constant) = code.split_once("const ")?;
    let (name, typed) = constant.split_once(": ")?;
    let (_, value) = typed.split_once(" = ")?;
    let value = value.strip_suffix(';')?;
    name.split('_').any(|word| WORDS.contains(&word)).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ROW: &str = "| The longest | `1 << 10` | `MAX_BYTES` | `crates/kube/src/a.rs` |";

    #[track_caller]
    fn check_page(path: &str, source: &str, page: &str, expect: &[&str]) {
        let tree = Tree {
            sources: vec![Source::parse(path, source)],
            manifests: Vec::new(),
            stories: Vec::new(),
            architecture: String::new(),
            differences: String::new(),
            files: BTreeSet::new(),
            pages: vec![(PAGE.to_owned(), page.to_owned())],
        };
        let mut found = Vec::new();
        check(&tree, &mut found);
        let places: Vec<String> = found.iter().map(|f| format!("{}:{}", f.file, f.line)).collect();
        assert_eq!(places, expect, "{source} {page}");
    }

    #[test]
    fn each_limit_has_a_row_with_its_value() {
        let (path, limit) = ("crates/kube/src/a.rs", "pub(crate) const MAX_BYTES: usize = 1 << 10;\n");
        check_page(path, limit, ROW, &[]);
        check_page(path, limit, "", &["crates/kube/src/a.rs:1"]);
        check_page(
            path,
            "const MAX_BYTES: usize = 2 << 10;\n",
            ROW,
            &["crates/kube/src/a.rs:1", "docs/limits.md:1"],
        );
        check_page(path, "const BYTES: usize = 1;\n", "| limit | value |\n|---|---|\n", &[]);
        check_page("crates/testbed-rig/src/a.rs", limit, "", &[]);
        check_page(path, &format!("#[cfg(test)]\nmod tests {{\n    {limit}}}\n"), "", &[]);
    }
}
