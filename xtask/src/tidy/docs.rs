//! Pages that repeat what the code knows say the same, and rows that stories name are there.

use super::{
    finding::{Finding, Rule},
    layers,
    tree::Tree,
};

static TABLE: Rule =
    Rule::new("docs-layers", "docs/architecture.md shows the table of xtask/src/tidy/layers.rs");
static ROW: Rule =
    Rule::new("docs-row", "every deliberate difference is a row of docs/differences.md, under its name");

const ARCHITECTURE: &str = "docs/architecture.md";
const DIFFERENCES: &str = "docs/differences.md";

/// Checks the pages.
pub fn check(tree: &Tree, found: &mut Vec<Finding>) {
    if !tree.architecture.contains(&layers::table()) {
        let what = format!("the table of layers is not this one:\n{}", layers::table());
        found.push(TABLE.broken(ARCHITECTURE, 1, what));
    }
    let ids = ids(&tree.differences);
    for (index, (line, id)) in ids.iter().enumerate() {
        if ids.iter().take(index).any(|(_, before)| before == id) {
            found.push(ROW.broken(DIFFERENCES, *line, format!("`{id}` has two rows")));
        }
    }
    for (path, story) in &tree.stories {
        for (number, line) in (1..).zip(story.lines()) {
            let Some(id) = row(line) else { continue };
            if !ids.iter().any(|(_, known)| *known == id) {
                found.push(ROW.broken(path, number, format!("`{id}` has no row")));
            }
        }
    }
}

/// The first cells of the tables: line and id.
fn ids(page: &str) -> Vec<(usize, &str)> {
    let id = |line: &'_ str| -> Option<(usize, usize)> {
        let rest = line.strip_prefix("| `")?;
        Some((3, rest.find('`')? + 3))
    };
    let numbered = (1..).zip(page.lines());
    numbered
        .filter_map(|(number, line)| id(line).and_then(|(from, to)| Some((number, line.get(from..to)?))))
        .collect()
}

/// The row that a line of a timeline names at its end: `…  [drain]`.
fn row(line: &str) -> Option<&str> {
    line.rsplit_once("  [")?.1.strip_suffix(']')
}
