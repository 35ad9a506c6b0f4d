//! Files that call each other. Of two files of a crate, of which none is the module above the other, only one may use
//! functions and constants of the other: what both need has a file of its own. Types may refer to each other, as
//! fields and arguments do.

use std::collections::BTreeMap;

use super::{
    finding::{Finding, Rule},
    tree::Source,
};

static CIRCLE: Rule = Rule::new(
    "circle",
    "of two files beside each other only one calls the other: move what both need to a file of its own",
);

/// How many imports and re-exports a path is followed through.
const MAX_STEPS: usize = 8;

/// Checks all sources, crate by crate.
pub fn check(sources: &[Source], found: &mut Vec<Finding>) {
    let mut crates: BTreeMap<&str, Files> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        if let Some((root, file)) = source.path.split_once("/src/") {
            crates.entry(root).or_default().0.insert(module(file), source);
        }
    }
    crates.values().for_each(|files| files.check(found));
}

/// The module of a file; `lib.rs` and `main.rs` are the crate itself, which is the empty text.
fn module(file: &str) -> String {
    let path = file.trim_end_matches(".rs");
    match path.strip_suffix("/mod").unwrap_or(path) {
        "lib" | "main" => String::new(),
        path => path.replace('/', "::"),
    }
}

fn joined(module: &str, rest: &str) -> String {
    let parts = [module, rest].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("::")
}

/// Whether one is the other, or the module above it.
fn is_above(module: &str, other: &str) -> bool {
    let rest = other.strip_prefix(module);
    module.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether a name is that of a function or a constant, and not of a type.
fn is_called(name: &str) -> bool {
    let begins_low = name.starts_with(|c: char| c.is_lowercase());
    begins_low || name.len() > 1 && !name.contains(|c: char| c.is_lowercase())
}

/// By the module that is used: the line, and the name that is used of it.
type Calls = BTreeMap<String, (usize, String)>;

/// The files of a crate, by their modules.
#[derive(Default)]
struct Files<'a>(BTreeMap<String, &'a Source>);

impl Files<'_> {
    fn check(&self, found: &mut Vec<Finding>) {
        let all: BTreeMap<&String, Calls> =
            self.0.iter().map(|(module, source)| (module, self.calls(module, source))).collect();
        for (module, calls) in &all {
            for (other, (line, name)) in calls.iter().filter(|(other, _)| module < other) {
                let back = all.get(other).and_then(|calls| calls.get(*module));
                let files = (self.0.get(*module), self.0.get(other));
                let (Some((_, called)), (Some(source), Some(used))) = (back, files) else { continue };
                let what = format!("uses `{name}` of {}, which uses `{called}` of it", used.path);
                found.push(CIRCLE.broken(&source.path, *line, what));
            }
        }
    }

    /// What a file calls of those that are not above or below it.
    fn calls(&self, module: &str, source: &Source) -> Calls {
        let imports = source.uses.iter().filter(|one| !one.is_exported);
        let imports = imports.map(|one| (one.line, one.path.as_str()));
        let mut calls = Calls::new();
        for (line, path) in imports.chain(paths(source)).filter(|(line, _)| !source.in_tests(*line)) {
            let full = self.full(module, path, MAX_STEPS);
            let Some((of, name)) = full.and_then(|full| self.resolve(&full, MAX_STEPS)) else { continue };
            if is_called(&name) && !is_above(module, &of) && !is_above(&of, module) {
                calls.entry(of).or_insert((line, name));
            }
        }
        calls
    }

    /// A path as it is written in `module`, from the root of the crate; `None` if it leads to another crate.
    fn full(&self, module: &str, path: &str, steps: usize) -> Option<String> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = path.split_once("::").unwrap_or((path, ""));
        match first {
            "crate" => Some(rest.to_owned()),
            "self" => Some(joined(module, rest)),
            "super" if module.is_empty() => None,
            "super" => {
                let above = module.rsplit_once("::").map_or("", |(above, _)| above);
                if rest.starts_with("super") {
                    self.full(above, rest, steps)
                } else {
                    Some(joined(above, rest))
                }
            }
            first if self.0.contains_key(&joined(module, first)) => Some(joined(module, path)),
            first => {
                let uses = &self.0.get(module)?.uses;
                let import = uses.iter().find(|one| one.name == first && one.path != first)?;
                self.full(module, &joined(&import.path, rest), steps)
            }
        }
    }

    /// The module in which a path ends, and what it names there. Re-exports are followed; a module alone is nothing.
    fn resolve(&self, full: &str, steps: usize) -> Option<(String, String)> {
        let steps = steps.checked_sub(1)?;
        if self.0.contains_key(full) {
            return None;
        }
        let mut of = full;
        let source = loop {
            of = of.rsplit_once("::").map_or("", |(above, _)| above);
            match self.0.get(of) {
                Some(source) => break source,
                None if of.is_empty() => return None,
                None => {}
            }
        };
        let item = full.strip_prefix(of)?.trim_start_matches("::");
        let (name, rest) = item.split_once("::").unwrap_or((item, ""));
        match source.uses.iter().find(|one| one.is_exported && one.name == name) {
            Some(export) => self.resolve(&joined(&self.full(of, &export.path, MAX_STEPS)?, rest), steps),
            None => Some((of.to_owned(), name.to_owned())),
        }
    }
}

/// The paths that are written in the code itself.
fn paths(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    source.code().flat_map(|(number, line)| {
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
        let words = words.map(|word| word.trim_matches(':')).filter(|word| word.contains("::"));
        words.map(move |word| (number, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places where a crate of these files has a circle.
    #[track_caller]
    fn check_files(files: &[(&str, &str)], expect: &[&str]) {
        let source = |(file, text): &(&str, &str)| Source::parse(&format!("crates/a/src/{file}"), text);
        let (sources, mut found): (Vec<Source>, _) = (files.iter().map(source).collect(), Vec::new());
        check(&sources, &mut found);
        let found: Vec<String> = found.iter().map(|one| format!("{}:{}", one.file, one.line)).collect();
        assert_eq!(found, expect, "{files:?}");
    }

    #[test]
    fn of_two_files_beside_each_other_one_calls_the_other() {
        let lib = ("lib.rs", "mod b;\nmod c;\npub use c::d;");
        let calls_c = ("b.rs", "use crate::{\n    c::d,\n};\npub fn e() {}");
        check_files(&[lib, calls_c, ("c.rs", "pub fn d() {}")], &[]);
        check_files(&[lib, calls_c, ("c.rs", "use super::b::{E, F};\npub fn d() {}")], &[]);
        for back in ["use crate::b::e;", "use crate::b;\nfn f() { b::e() }", "fn f() { crate::b::e() }"] {
            check_files(&[lib, calls_c, ("c.rs", back)], &["crates/a/src/b.rs:1"]);
            let exported = ("b.rs", "use crate::d;\npub fn e() {}");
            check_files(&[lib, exported, ("c.rs", back)], &["crates/a/src/b.rs:1"]);
            check_files(
                &[lib, ("b.rs", "use crate::c::D as d;\npub const G: u8 = d::H;"), ("c.rs", back)],
                &[],
            );
        }
        let tested = "#[cfg(test)]\nmod tests {\n    use crate::b::e;\n}";
        check_files(&[lib, calls_c, ("c.rs", tested)], &[]);
    }

    #[test]
    fn a_module_and_what_is_in_it_may_call_each_other() {
        let parent = ("b/mod.rs", "mod c;\nuse c::d;\npub const E: u8 = 1;");
        check_files(&[("lib.rs", "mod b;"), parent, ("b/c.rs", "use super::E;\npub fn d() {}")], &[]);
        let (cousin, niece) =
            (("f.rs", "use crate::b::c::d;\npub fn g() {}"), ("b/c.rs", "use super::super::f::g;"));
        check_files(&[parent, cousin, niece], &["crates/a/src/b/c.rs:1"]);
    }
}
