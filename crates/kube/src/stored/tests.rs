//! What counts as a difference between a write and its answer, and what does not.

use serde_json::json;

use super::*;

const OWN: Rules = Rules { built_in: false, exact: false };
const BUILT_IN: Rules = Rules { built_in: true, exact: false };
const EXACT: Rules = Rules { built_in: false, exact: true };

fn whole(object: Value) -> Sent {
    Sent::of(&Action::Create(object)).unwrap()
}

fn check(rules: Rules, sent: Value, answer: Value, fields: &[&str]) {
    let found = differences(&whole(json!({ "spec": sent })), &json!({ "spec": answer }), rules);
    let found: Vec<_> = found
        .iter()
        .map(|field| format!("{}{}", if field.missing { "-" } else { "~" }, field.path.join("/")))
        .collect();
    let fields: Vec<_> = fields.iter().map(|field| field.replacen("/", "spec/", 1)).collect();
    assert_eq!(found, fields, "{rules:?}: sent {sent}, got {answer}");
}

#[test]
fn what_is_missing_or_another_is_found() {
    check(OWN, json!({"a": 1, "b": 2}), json!({"a": 1}), &["-/b"]);
    check(OWN, json!({"a": {"b": 1}}), json!({}), &["-/a"]);
    check(OWN, json!({"a": "x"}), json!({"a": "y"}), &["~/a"]);
    check(OWN, json!({"a": {"b": 1}}), json!({"a": 1}), &["~/a"]);
    check(OWN, json!({"w": 0}), json!({}), &["-/w"]);
    check(
        OWN,
        json!({"l": [{"n": "a", "x": 1}, {"n": "b"}]}),
        json!({"l": [{"n": "a"}, {"n": "b"}]}),
        &["-/l/0/x"],
    );
    check(OWN, json!({"l": [1, 2, 3]}), json!({"l": [1, 3]}), &["-/l/1"]);
    check(OWN, json!({"l": [1, 2]}), json!({"l": [2, 1]}), &["~/l/0", "~/l/1"]);
    check(BUILT_IN, json!({"replicas": 0}), json!({"replicas": 3}), &["~/replicas"]);
    check(BUILT_IN, json!({"l": [{"n": "a", "x": 1}]}), json!({"l": [{"n": "a", "x": 2}]}), &["~/l/0/x"]);
}

#[test]
fn what_the_api_server_fills_in_or_writes_in_another_form_is_no_difference() {
    check(OWN, json!({"a": 1}), json!({"a": 1, "b": 2}), &[]);
    check(OWN, json!({"a": null, "l": [], "m": {}}), json!({}), &[]);
    check(OWN, json!({"a": null}), json!({"a": "default"}), &[]);
    check(OWN, json!({"l": [1, 3]}), json!({"l": [1, 2, 3]}), &[]);
    check(OWN, json!({"cpu": 1, "memory": "1024Mi"}), json!({"cpu": "1", "memory": "1Gi"}), &[]);
    check(OWN, json!({"cpu": "0.5", "w": 80.0}), json!({"cpu": "500m", "w": 80}), &[]);
    check(BUILT_IN, json!({"a": "", "b": false, "c": 0, "d": {"e": ""}}), json!({}), &[]);
    check(BUILT_IN, json!({"clusterIP": ""}), json!({"clusterIP": "10.0.0.1"}), &[]);
    check(BUILT_IN, json!({"l": [{"n": 1}, {"n": 2}]}), json!({"l": [{"n": 2}, {"n": 1, "p": "TCP"}]}), &[]);
    for text in ["NaN", "inf", "1x", "m", ""] {
        assert_eq!(quantity(&json!(text)), None, "{text}");
    }
}

#[test]
fn exactly_the_same_has_no_more_than_was_sent() {
    check(EXACT, json!({"l": [1, 3]}), json!({"l": [1, 2, 3]}), &["~/l"]);
    check(EXACT, json!({"a": null}), json!({"a": "still there"}), &["~/a"]);
    check(EXACT, json!({"a": null, "l": [1]}), json!({"l": [1]}), &[]);
}

#[test]
fn what_is_the_api_servers_is_not_compared_and_texts_are_texts() {
    let meta = |labels: Value| json!({"metadata": {"uid": "1", "generation": 2, "labels": labels}, "status": {"a": 1}});
    let answer = |labels: Value| json!({"metadata": {"uid": "2", "labels": labels}});
    assert_eq!(differences(&whole(meta(json!({"a": "1"}))), &answer(json!({"a": "1"})), OWN), []);
    assert_eq!(differences(&whole(meta(json!({"a": "1000m"}))), &answer(json!({"a": "1"})), OWN).len(), 1);
}

#[test]
fn of_a_patch_the_last_word_on_each_place_counts() {
    let check = |ops: Vec<JsonOp>, answer: Value, fields: &[&str]| {
        let on = vexil_object::Precondition { uid: String::new(), resource_version: String::new() };
        let sent = Sent::of(&Action::Json { ops, on }).unwrap();
        let found: Vec<_> = differences(&sent, &answer, OWN).iter().map(|f| f.path.join("/")).collect();
        assert_eq!(found, fields, "{sent:?} {answer}");
    };
    let add = |path: &str, value: Value| JsonOp::Add(path.into(), value);
    let template = |image: &str| json!({"spec": {"template": {"image": image}}});
    check(vec![add("/spec/template", json!({"image": "a"}))], template("a"), &[]);
    check(vec![add("/spec/template", json!({"image": "a"}))], template("b"), &["spec/template/image"]);
    check(vec![add("/spec", json!({"x": 1})), JsonOp::Remove("/spec/x".into())], json!({"spec": {}}), &[]);
    check(vec![add("/m/a~1b", json!("c"))], json!({"m": {"a/b": "d"}}), &["m/a/b"]);
    check(vec![add("/l/-", json!(1)), add("/l/0", json!(2))], json!({"l": []}), &[]);
}
