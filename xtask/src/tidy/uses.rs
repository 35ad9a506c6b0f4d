//! The paths that `use` lines bring in, written out: `use a::{b, c::d};` is `a::b` and `a::c::d`.

/// What a `use` brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// `a::c::d`.
    pub path: String,
    /// What it is called here: the last part of the path, unless it says `as`.
    pub name: String,
    /// Whether other files may name it by way of this one.
    pub is_exported: bool,
}

/// Everything that the `use` lines of a source bring in.
pub fn paths(code: &str) -> Vec<Use> {
    let mut paths = Vec::new();
    let mut offset = 0;
    for (index, line) in code.split_inclusive('\n').enumerate() {
        if let Some(begin) = statement(line) {
            let rest = code.get(offset + begin..).unwrap_or_default();
            let tree = rest.split(';').next().unwrap_or_default();
            let mut found = Vec::new();
            expand("", tree, &mut found);
            let is_exported = line.trim_start().starts_with("pub");
            paths.extend(found.into_iter().map(|(path, name)| Use {
                line: index + 1,
                path,
                name,
                is_exported,
            }));
        }
        offset += line.len();
    }
    paths
}

/// Where the tree of a `use` begins in its first line.
fn statement(line: &str) -> Option<usize> {
    let trimmed = line.trim_start();
    let visible = match trimmed.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')').map_or(rest, |(_, rest)| rest),
        Some(rest) => rest,
        None => trimmed,
    };
    let tree = visible.trim_start().strip_prefix("use ")?;
    Some(line.len() - tree.len())
}

fn expand(prefix: &str, tree: &str, found: &mut Vec<(String, String)>) {
    for item in top_level(tree) {
        match item.split_once('{') {
            Some((before, inner)) => {
                let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
                expand(&format!("{prefix}{}", before.trim()), inner, found);
            }
            None => {
                let (path, alias) = item.split_once(" as ").unwrap_or((item, ""));
                let path = match (path.trim(), prefix.strip_suffix("::")) {
                    ("", _) => continue,
                    ("self", Some(module)) => module.to_owned(),
                    (path, _) => format!("{prefix}{path}"),
                };
                let name = path.rsplit("::").next().filter(|_| alias.trim().is_empty());
                found.push((path.clone(), name.unwrap_or(alias.trim()).to_owned()));
            }
        }
    }
}

/// The parts between the commas that are in no braces.
fn top_level(tree: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let split = tree.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    split.collect()
}
