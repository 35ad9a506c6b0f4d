//! Our entries are read strictly and written in place; those that name nothing are replaced.

use serde_json::json;
use vexil_object::{Kind, ObjectKey};

use super::*;
use crate::put;

fn side(entry: &Value) -> Option<Side> {
    match entry.get("name")?.as_str()? {
        "p" => Some(Side::Primary),
        "c" => Some(Side::Canary),
        _ => None,
    }
}

fn named(side: Side, weight: Weight, mut entry: Value) -> Value {
    put(&mut entry, "name", if side == Side::Primary { "p" } else { "c" }.into());
    put(&mut entry, "weight", weight.percent().into());
    entry
}

fn check(list: Value, read: Result<u32, &str>, written: Value) {
    let key = ObjectKey::cluster(Kind::cluster("x.test", "v1", "Split", "splits"), "a");
    let mut object = json!({"spec": {"to": [{"list": list}]}});
    let live = object.clone();
    let entries = Entries::at(&key, &live, "spec.to[0].list", side)
        .map(|entries| entries.without_nameless(|entry| entry.get("name").is_none()));
    let routes = entries.as_ref().map_err(Clone::clone).and_then(|entries| entries.routes(Value::as_i64));
    let expect = read
        .map(|canary| Routes::split(Weight::clamped(canary)))
        .map_err(|how| format!("Split a: spec.to[0].{how}"));
    assert_eq!(routes.map_err(|error| error.to_string()), expect);
    if let Ok(entries) = entries {
        let want = RouteRequest::Weighted { canary: Weight::clamped(10) };
        let list = entries.written([Side::Canary, Side::Primary], &want, named);
        put(&mut object, entries.path(), list.into());
        assert_eq!(object["spec"]["to"][0]["list"], written);
    }
}

#[test]
fn our_entries_are_read_strictly_and_written_where_they_are() {
    let entry = |name: &str, weight: i64| json!({"name": name, "weight": weight});
    let (p, c, x) = (entry("p", 90), entry("c", 10), entry("x", 7));
    check(json!([x, p, c]), Ok(10), json!([x, p, c]));
    check(
        json!([p, x, c, c]),
        Err("list[3] names a Service that an entry before it names"),
        json!([p, x, c]),
    );
    check(json!([]), Err("list has no entry for the primary"), json!([c, p]));
    check(json!([x, p]), Err("list has no entry for the canary"), json!([c, x, p]));
    check(json!([c, x]), Err("list has no entry for the primary"), json!([c, p, x]));
    check(
        json!([entry("p", 90), entry("c", 20)]),
        Err("list has primary 90 and canary 20, which is not 100 in all"),
        json!([p, c]),
    );
    check(
        json!([{"name": "p", "tls": 1}, c]),
        Err("list[0].weight is missing"),
        json!([{"name": "p", "tls": 1, "weight": 90}, c]),
    );
    check(
        json!([{"name": "p", "weight": 90, "tls": 1}]),
        Err("list has no entry for the canary"),
        json!([{"name": "c", "weight": 10, "tls": 1}, {"name": "p", "weight": 90, "tls": 1}]),
    );
    check(
        json!([entry("p", 190), c]),
        Err("list[0].weight is 190, not an integer from 0 to 100"),
        json!([p, c]),
    );
    let nameless = json!({"weight": 10});
    let problem = format!("list[1] {NAMELESS}");
    check(json!([p, nameless, nameless, x]), Err(&problem), json!([c, p, x]));
    check(json!("none"), Err("list is not a list"), Value::Null);
    check(json!([p, 5]), Err("list[1] is not an object"), Value::Null);
}

#[test]
fn an_entry_without_weight_can_be_left_out() {
    let check = |list: Value, read: Result<u32, &str>, canary: u32, written: Value| {
        let key = ObjectKey::cluster(Kind::cluster("x.test", "v1", "Split", "splits"), "a");
        let live = json!({"spec": {"list": list}});
        let entries = Entries::at(&key, &live, "spec.list", side).unwrap().without_zero();
        let routes = entries.routes(Value::as_i64).map_err(|error| error.to_string());
        let expect = read.map(|canary| Routes::split(Weight::clamped(canary)));
        assert_eq!(routes, expect.map_err(|how| format!("Split a: spec.list{how}")));
        let want = RouteRequest::Weighted { canary: Weight::clamped(canary) };
        assert_eq!(Value::from(entries.written([Side::Primary, Side::Canary], &want, named)), written);
    };
    let entry = |name: &str, weight: i64| json!({"name": name, "weight": weight});
    let (p, c, x) = (entry("p", 100), entry("c", 100), entry("x", 7));
    check(json!([p, x]), Ok(0), 0, json!([p, x]));
    check(json!([p, x]), Ok(0), 100, json!([c, x]));
    check(json!([x, c]), Ok(100), 0, json!([p, x]));
    check(json!([x, c]), Ok(100), 25, json!([entry("p", 75), x, entry("c", 25)]));
    check(
        json!([entry("c", 20)]),
        Err(" has primary 0 and canary 20, which is not 100 in all"),
        0,
        json!([p]),
    );
    check(json!([x]), Err(" has no entry for the primary and none for the canary"), 100, json!([c, x]));
}
