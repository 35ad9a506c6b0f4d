//! What can be said of the pages without following them.

use std::fs;

use vexil_launcher::root;
use vexil_testbed_rig::systems::GUIDES;

use super::{
    Read,
    block::{Step, Way},
    examples,
};

#[test]
fn every_page_shows_the_examples_and_both_ways_to_install() {
    for page in GUIDES {
        let read = Read::page(page).unwrap();
        for placed in &read.steps {
            if let Step::Save { file, text } = &placed.step {
                examples::compare(page.name, file, text)
                    .unwrap_or_else(|error| panic!("{}.md, line {}: {error:#}", page.name, placed.line));
            }
        }
        for way in [Way::Helm, Way::Kustomize] {
            assert!(read.steps.iter().any(|placed| placed.way == Some(way)), "{}.md: {way:?}", page.name);
        }
    }
}

#[test]
fn every_page_is_followed_and_in_the_list() {
    let folder = root().join("docs/guides");
    let list = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut found: Vec<String> = folder
        .read_dir()
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".md").map(str::to_owned))
        .filter(|name| name != "README")
        .collect();
    let mut known: Vec<String> = GUIDES.iter().map(|page| page.name.to_owned()).collect();
    found.sort();
    known.sort();
    assert_eq!(found, known);
    for name in known {
        assert!(list.contains(&format!("]({name}.md)")), "{name}");
    }
}
