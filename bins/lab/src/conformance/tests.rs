//! The comparison itself: how scenes are read, what is masked, what is a difference.

use serde_json::{Value, json};

use super::{
    compare::{differences, matches},
    known::Known,
    mask::{Symbols, mask},
    scenes,
    script::{Scene, Step, Until, read},
};

fn only_step(text: &str) -> Step {
    let scenes: Vec<Scene> = read(&format!("== one\n{text}")).unwrap();
    scenes[0].steps[0].clone()
}

#[test]
fn there_are_hundreds_of_requests_in_all_scenes() {
    let scenes = scenes().unwrap();
    let steps: usize = scenes.iter().map(|scene| scene.steps.len()).sum();
    assert!(steps >= 250, "{steps}");
}

#[test]
fn a_step_is_a_head_a_body_and_directives() {
    let step = only_step("PATCH merge /a/b\n    {k: v,\n     l: w}\n    @ ignore /body/x\n    @ until 404\n");
    assert_eq!((step.verb.as_str(), step.content.as_str(), step.target.as_str()), ("PATCH", "merge", "/a/b"));
    assert_eq!(step.body, "{k: v,\n l: w}\n");
    assert_eq!((step.ignore, step.until), (vec!["/body/x".to_owned()], Some(Until::Code(404))));
}

#[test]
fn what_is_ignored_before_the_first_step_is_ignored_in_every_step() {
    let step = only_step("    @ ignore /body\nlet a = /x\nGET ${a}/${b}\n");
    assert_eq!((step.ignore, step.target.as_str()), (vec!["/body".to_owned()], "/x/${b}"));
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_line() {
    for text in ["GET /a", "== a\nFETCH /a", "== a\nGET /a\n    @ nonsense", "== a\nPATCH wrong /a"] {
        assert!(read(text).is_err(), "{text}");
    }
}

fn check(testbed: Value, real: Value, expect: &[&str]) {
    let found: Vec<String> = differences(&testbed, &real, false).iter().map(|one| one.line()).collect();
    assert_eq!(found, expect);
}

#[test]
fn differences_are_listed_by_their_paths() {
    check(json!({"a": [1, {"b": 2}]}), json!({"a": [1, {"b": 2}]}), &[]);
    check(json!({"a": [1, {"b": 2}]}), json!({"a": [1, {"b": 3}]}), &["/a/1/b: 2 vs 3"]);
    check(json!({"a": 1}), json!({"b/c": 1}), &["/a: 1 vs nothing", "/b~1c: nothing vs 1"]);
    check(json!([1]), json!([1, 2]), &["/1: nothing vs 2"]);
}

#[test]
fn of_a_subset_only_what_the_testbed_has_is_compared() {
    let (testbed, real) = (json!([{"name": "b", "x": 1}]), json!([{"name": "a"}, {"name": "b", "x": 2}]));
    let found = differences(&testbed, &real, true);
    assert_eq!(found.iter().map(|one| one.line()).collect::<Vec<_>>(), ["/b/x: 1 vs 2"]);
}

#[test]
fn a_star_is_one_step_and_two_are_the_rest() {
    assert!(matches("/a/*/c", "/a/b/c") && matches("/a/**", "/a/b/c") && !matches("/a/*", "/a/b/c"));
}

#[test]
fn a_known_difference_that_nothing_needs_is_an_error() {
    let mut known = Known::read("# why\nScene | /a | because\nOther | /b | because").unwrap();
    let found = differences(&json!({"a": 1}), &json!({"a": 2}), false);
    assert!(known.covers("Scene one", &found[0]) && !known.covers("None", &found[0]));
    assert_eq!(known.unused().collect::<Vec<_>>(), ["Other | /b | because"]);
    assert!(Known::read("Scene | /a |").is_err());
}

#[test]
fn uids_and_versions_are_masked_by_what_they_belong_to() {
    let uid = "00000000-0000-4000-8000-000000000007";
    let object = |version: &str| json!({"metadata": {"name": "a", "uid": uid, "resourceVersion": version}});
    let mut symbols = Symbols::default();
    symbols.learn(&object("7"));
    symbols.learn(&object("9"));
    let step = Step { target: "/api/v1/namespaces/x/secrets".to_owned(), ..Step::default() };
    let mut answer = json!([object("9"), {"message": format!("{uid} at 2026-01-01T00:00:00Z")}]);
    mask(&mut answer, &symbols, &step);
    let masked = json!({"name": "a", "uid": "<uid a>", "resourceVersion": "<rv 1>"});
    assert_eq!(answer, json!([{"metadata": masked}, {"message": "<uid a> at <time>"}]));
}
