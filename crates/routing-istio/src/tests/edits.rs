//! VirtualServices of ours that others edited, or that Flagger left: what is reported and corrected, and what stays.

use serde_json::{Value, json};
use vexil_routing::{Routes, Weight};

use super::{both, read, reversed, sample, split, to, write};

/// What is read after an edit of the routes of a VirtualService of ours, and that rendering corrects it.
fn check(was: Routes, edit: impl Fn(&mut Vec<Value>), expect: &str) {
    let given = sample(json!({}), json!({"match": [{"headers": {"x-canary": {"exact": "insider"}}}]}));
    let before = write(&given.target(), None, was);
    let mut live = before.clone();
    edit(live["spec"]["http"].as_array_mut().unwrap());
    let error = read(&given.target(), &live).unwrap_err();
    assert_eq!(error, format!("VirtualService podinfo.test: {expect}"));
    assert_eq!(write(&given.target(), Some(live), was)["spec"]["http"], before["spec"]["http"], "{expect}");
}

#[test]
fn what_moves_traffic_is_reported_and_corrected() {
    let matched = Routes::Matched;
    check(
        split(10),
        |list| list[0]["route"][1]["weight"] = json!(20),
        "spec.http[0].route has primary 90 and canary 20, which is not 100 in all",
    );
    check(
        split(10),
        |list| list[0]["mirror"] = json!({"host": "podinfo-canary.test"}),
        "spec.http[0].mirror copies requests of which the canary has a share",
    );
    check(split(0), |list| list.clear(), "spec.http has no route to the primary and the canary");
    let stray = json!({"match": [{"uri": {"prefix": "/"}}], "route": both(100)});
    check(
        split(0),
        |list| list.insert(0, stray.clone()),
        "spec.http[0] sends to the canary too, and was not written like this",
    );
    check(matched, |list| list[0]["match"] = json!([{}]), "spec.http[0].match has lost its conditions");
    check(matched, |list| list.swap(0, 1), "spec.http[1] has no route behind it that it belongs to");
    check(matched, |list| list[0]["route"] = reversed(30), "spec.http[0] does not fit the route behind it");
    let mirrored = Routes::Mirrored { percent: Weight::clamped(50) };
    check(
        mirrored,
        |list| list[0]["mirrorPercentage"]["value"] = json!(0.5),
        "spec.http[0].mirrorPercentage.value is not an integer from 0 to 100",
    );
}

#[test]
fn what_users_add_to_a_route_of_ours_stays() {
    let given = sample(json!({"timeout": "5s"}), json!({}));
    let mut live = write(&given.target(), None, split(0));
    let fault = json!({"delay": {"fixedDelay": "1s"}});
    let preview = json!({"match": [{"uri": {"prefix": "/preview"}}], "route": [{"destination": {"host": "podinfo-canary"}}]});
    let admin = json!({"match": [{"uri": {"prefix": "/admin"}}], "route": [{"destination": {"host": "podinfo-primary"}}]});
    live["spec"]["exportTo"] = json!(["."]);
    live["spec"]["http"][0]["fault"] = fault.clone();
    live["spec"]["http"][0]["retries"] = json!({"attempts": 2});
    live["spec"]["http"].as_array_mut().unwrap().splice(0..0, [preview.clone(), admin.clone()]);
    let given = sample(json!({}), json!({}));
    let after = write(&given.target(), Some(live), split(20));
    assert_eq!(after["spec"]["exportTo"], json!(["."]));
    assert_eq!(
        after["spec"]["http"],
        json!([preview, admin, {"fault": fault, "retries": {"attempts": 2}, "route": both(20)}]),
        "the Canary does not declare the timeout any more, which is removed"
    );
}

#[test]
fn a_route_that_flagger_left_in_the_middle_of_a_rollout_is_taken_over() {
    let given = sample(json!({}), json!({"match": [{"headers": {"x-canary": {"exact": "insider"}}}]}));
    let owner = json!([given.owner.reference()]);
    let flaggers = |http: Value| {
        let spec = json!({"hosts": ["podinfo"], "gateways": ["mesh"], "http": http});
        json!({"metadata": {"ownerReferences": owner}, "spec": spec})
    };
    let condition = json!([{"headers": {"x-canary": {"exact": "insider"}}}]);
    let weighted = flaggers(json!([{"route": both(40)}]));
    assert_eq!(read(&given.target(), &weighted), Ok(split(40)));
    let testing =
        flaggers(json!([{"match": condition, "route": both(100)}, {"route": [to("podinfo-primary", 0)]}]));
    let after = write(&given.target(), Some(testing), split(0));
    assert_eq!(after["spec"]["http"][0], json!({"route": both(0)}), "no condition of Flagger's is left");
}
