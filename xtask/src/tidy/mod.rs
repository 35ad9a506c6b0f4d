//! Rules of the repository that are checked on its text: style, layers, names, references.
//!
//! `cargo xtask tidy` prints what it found; the same runs as a test. A finding has the place, the rule and the
//! reason. Sources are split into code, comments and literals, and rules look for words. What needs to understand Rust
//! is left to the compiler and to clippy, whose lints every crate inherits; clippy.toml lists types and methods that
//! are not allowed anywhere. The rules here are those that clippy does not have: layers, words that are forbidden in
//! some crates, and references.

mod bans;
mod circles;
mod docs;
mod finding;
mod idioms;
mod layers;
mod limits;
mod manifest;
mod references;
mod shape;
mod split;
mod tree;
mod uses;

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::bail;
use vexil_launcher::root;

use finding::Finding;
use tree::Tree;

/// Runs the chore.
pub fn run() -> anyhow::Result<()> {
    let found = findings(&root())?;
    for finding in &found {
        println!("{finding}");
    }
    if !found.is_empty() {
        bail!("the tree is not tidy: {} findings", found.len());
    }
    println!("the tree is tidy");
    Ok(())
}

/// All findings, by file and line.
fn findings(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let tree = Tree::load(root)?;
    let mut found = Vec::new();
    for source in &tree.sources {
        shape::check(source, &mut found);
        bans::check(source, &mut found);
        idioms::check(source, &mut found);
        layers::check_uses(source, &mut found);
    }
    for manifest in &tree.manifests {
        manifest::check(manifest, &mut found);
        layers::check_manifest(manifest, &mut found);
    }
    circles::check(&tree.sources, &mut found);
    docs::check(&tree, &mut found);
    limits::check(&tree, &mut found);
    references::check(&tree, &mut found);
    found.sort();
    found.dedup();
    Ok(found)
}
