//! The paths that `use` lines bring in, written out: `use a::{b, c::d};` is `a::b` and `a::c::d`.

/// Every path, with the line (from 1) on which its `use` begins.
pub fn paths(code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    let mut offset = 0;
    for (index, line) in code.split_inclusive('\n').enumerate() {
        if let Some(begin) = statement(line) {
            let rest = code.get(offset + begin..).unwrap_or_default();
            let tree = rest.split(';').next().unwrap_or_default();
            let mut found = Vec::new();
            expand("", tree, &mut found);
            paths.extend(found.into_iter().map(|path| (index + 1, path)));
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

fn expand(prefix: &str, tree: &str, found: &mut Vec<String>) {
    for item in top_level(tree) {
        match item.split_once('{') {
            Some((before, inner)) => {
                let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
                expand(&format!("{prefix}{}", before.trim()), inner, found);
            }
            None => {
                let name = item.split(" as ").next().unwrap_or_default().trim();
                if !name.is_empty() {
                    found.push(format!("{prefix}{name}"));
                }
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
