//! The user's route is missing, is another kind of object, or has no rule for the apex.

use serde_json::{Value, json};
use vexil_api::canary::RouteRef;
use vexil_object::Store;
use vexil_routing::Router;

use super::{GENERATED, USERS, guide, key, look, rule, sample, split, weights, write};
use crate::Apisix;

/// Rendering fails with `error` when `users` is the user's route.
fn refused(users: Option<Value>, error: &str) {
    let mut store = guide();
    match users {
        Some(users) => store.put(key(USERS), users),
        None => drop(store.remove(&key(USERS))),
    }
    let text = Apisix.render(&sample().target(), &split(0), &look(&store)).map_err(|error| error.to_string());
    assert_eq!(text, Err(error.to_owned()));
    assert_eq!(Apisix.release(&sample().target(), &look(&store)), Ok(Vec::new()));
}

#[test]
fn a_route_that_cannot_be_followed_is_reported_with_flaggers_text() {
    refused(
        None,
        "Canary podinfo.test: spec.routeRef.name names a route that does not exist: APISIX route podinfo.test get query error: \
         not found",
    );
    let empty =
        "ApisixRoute podinfo.test: spec.http has no rule: APISIX route podinfo.test's spec.http is empty";
    refused(Some(json!({"spec": {"stream": []}})), empty);
    refused(Some(json!({"spec": {"http": []}})), empty);
    refused(
        Some(json!({"spec": {"http": [rule("method", "other")]}})),
        "ApisixRoute podinfo.test: spec.http has no rule for the apex: Can not find podinfo backend on apisix route \
         podinfo.test",
    );
    let mut several = rule("method", "podinfo");
    several["backends"] = json!([{"serviceName": "other"}, {"serviceName": "podinfo"}]);
    refused(
        Some(json!({"spec": {"http": [rule("first", "x"), several]}})),
        "ApisixRoute podinfo.test: spec.http[1].backends has several: APISIX route podinfo.test's http route method \
         only one http backend is supported",
    );
    let mut urgent = rule("method", "podinfo");
    urgent["priority"] = json!("high");
    refused(
        Some(json!({"spec": {"http": [urgent]}})),
        "ApisixRoute podinfo.test: spec.http[0].priority is \"high\", not an integer",
    );
    for (port, text) in [(json!("metrics"), "\"metrics\""), (json!(9898), "9898")] {
        let mut elsewhere = rule("method", "podinfo");
        elsewhere["backends"][0]["servicePort"] = port;
        refused(
            Some(json!({"spec": {"http": [elsewhere]}})),
            &format!(
                "ApisixRoute podinfo.test: spec.http[0].backends[0].servicePort is {text}, which Service podinfo does not \
                 have; it has http (80)"
            ),
        );
    }
    refused(Some(json!({"spec": {"http": 5}})), "ApisixRoute podinfo.test: spec.http is not a list");
}

#[test]
fn a_reference_to_another_kind_is_reported() {
    let check = |api_version: &str, kind: &str, name: &str, problem: &str| {
        let mut sample = sample();
        let api_version = Some(api_version.to_owned()).filter(|version| !version.is_empty());
        let (kind, name) = (kind.to_owned(), name.to_owned());
        sample.spec.route_ref =
            Some(RouteRef { api_version, kind, name }).filter(|reference| reference != &RouteRef::default());
        let text = Apisix.read(&sample.target(), &look(&guide())).map_err(|error| error.to_string());
        let absent = "ApisixRoute podinfo-podinfo-canary.test does not exist".to_owned();
        let defect = format!("Canary podinfo.test: spec.routeRef.{problem}");
        assert_eq!(text, Err(if problem.is_empty() { absent } else { defect }));
        assert_eq!(Apisix.release(&sample.target(), &look(&guide())), Ok(Vec::new()));
    };
    check("apisix.apache.org/v2", "ApisixRoute", USERS, "");
    check("", "", USERS, "");
    check("", "", "", "name is missing: apisix route selector is empty");
    check("apisix.apache.org/v2", "ApisixRoute", "", "name is missing: apisix route selector is empty");
    check(
        "networking.k8s.io/v1",
        "Ingress",
        USERS,
        "apiVersion is \"networking.k8s.io/v1\", not one of apisix.apache.org",
    );
    check("apisix.apache.org/v2", "ApisixTls", USERS, "kind is \"ApisixTls\", not ApisixRoute");
}

#[test]
fn without_the_users_route_the_canarys_weight_can_only_be_reduced() {
    let check = |live: u32, want: u32, expect: Option<(i64, i64)>| {
        let mut store = guide();
        write(&mut store, live);
        let spec = |store: &Store| {
            let mut spec = store.get(&key(GENERATED)).unwrap()["spec"].clone();
            spec["http"][0]["backends"] = Value::Null;
            spec
        };
        let before = spec(&store);
        store.remove(&key(USERS));
        assert_eq!(Apisix.read(&sample().target(), &look(&store)), Ok(split(live)));
        let text = Apisix.render(&sample().target(), &split(want), &look(&store));
        if let Ok(changes) = &text {
            changes.iter().for_each(|change| store.apply(change).unwrap());
        }
        let written = text.is_ok().then(|| weights(store.get(&key(GENERATED)).unwrap())).flatten();
        assert_eq!(written, expect, "from {live} to {want}");
        assert_eq!(spec(&store), before);
    };
    check(50, 50, Some((50, 50)));
    check(50, 20, Some((80, 20)));
    check(50, 0, Some((100, 0)));
    check(50, 60, None);
    // Without canary traffic it is an error at once.
    check(0, 0, None);
    check(0, 10, None);
}
