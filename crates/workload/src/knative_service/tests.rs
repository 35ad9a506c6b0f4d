//! Revisions as primary and canary: which is which, when each serves, and what is written.

use serde_json::{Value, json};
use vexil_analysis::{Known, Readiness, Revision, Side};
use vexil_api::{CanarySpec, CanaryView, TargetRef};
use vexil_object::{Action, Objects, Owner, Projection, Seen, knative};

use super::{KnativeServices, RevisionProjection, revision_of};
use crate::{Demand, PrimaryCopy, PrimaryTemplate, Settings, Subject, Workload, WorkloadCatalog};

/// A Service whose annotation names `primary`, with its traffic.
fn service(primary: &str, latest: &str, traffic: Value) -> Value {
    let annotations =
        if primary.is_empty() { json!({}) } else { json!({knative::PRIMARY_REVISION: primary}) };
    json!({
        "metadata": {"name": "podinfo", "namespace": "test", "annotations": annotations},
        "spec": {"template": {}, "traffic": traffic},
        "status": {"latestCreatedRevisionName": latest},
    })
}

fn at_rest(primary: &str, latest: &str) -> Value {
    service(
        primary,
        latest,
        json!([{"latestRevision": true, "percent": 0}, {"revisionName": primary, "percent": 100}]),
    )
}

fn revision(name: &str, status: &str, reason: &str) -> Value {
    let ready = json!({"type": "Ready", "status": status, "reason": reason, "message": ""});
    json!({"metadata": {"name": name, "namespace": "test"}, "status": {"conditions": [ready]}})
}

/// Runs `test` with a subject.
fn with<T>(test: impl FnOnce(&Subject<'_>) -> T) -> T {
    let owner = Owner { name: "podinfo".to_owned(), uid: "1".to_owned() };
    let mut target_ref = TargetRef { name: "podinfo".to_owned(), ..TargetRef::default() };
    target_ref.set_bound_kind(TargetRef::KNATIVE_SERVICE);
    let spec = CanarySpec { target_ref, ..CanarySpec::default() };
    test(&Subject { view: CanaryView::new(&owner, "test", &spec), settings: &Settings::default() })
}

/// What is observed, asked for until nothing is missing.
fn observed(subject: &Subject<'_>, service: &Value, revisions: &[Value]) -> Objects {
    let mut have = Objects::default();
    for _ in 0..3 {
        for key in KnativeServices.needs(subject, &have) {
            assert!(!have.has(&key), "{key} is asked for twice");
            let named = |object: &&Value| object["metadata"]["name"] == key.name();
            let seen =
                if key.kind() == knative::SERVICE { Some(service) } else { revisions.iter().find(named) };
            have.insert(key, seen.map_or(Seen::Absent, |object| Seen::present(object.clone())));
        }
    }
    assert_eq!(KnativeServices.needs(subject, &have), []);
    have
}

#[test]
fn a_knative_service_is_another_kind_than_a_service() {
    let catalog = WorkloadCatalog::default();
    let kind = |api_version: &str| {
        let target = TargetRef {
            api_version: Some(api_version.to_owned()),
            kind: "Service".to_owned(),
            ..TargetRef::default()
        };
        catalog.workload(target.bound_kind()).unwrap().kind()
    };
    assert_eq!(kind("serving.knative.dev/v1"), knative::SERVICE);
    assert_eq!(kind("v1"), vexil_object::kinds::SERVICE);
    assert_eq!(catalog.names().0, ["Deployment", "DaemonSet", "Service"]);
}

#[track_caller]
fn check_serves(service: &Value, revisions: &[Value], analysed: &str, expect: [Known<u32>; 2]) {
    with(|subject| {
        let have = observed(subject, service, revisions);
        let of =
            |side| KnativeServices.addresses(subject, side, Some(&revision_of(analysed)), &have).unwrap();
        assert_eq!([of(Side::Primary), of(Side::Canary)], expect);
    });
}

#[test]
fn a_revision_serves_when_it_is_ready_and_is_what_is_analysed() {
    let (one, zero) = (Known::Present(1), Known::Present(0));
    let ready = |name| revision(name, "True", "");
    let both = [ready("p-1"), ready("p-2"), ready("p-3")];
    check_serves(&at_rest("p-1", "p-2"), &both, "p-2", [one.clone(), one.clone()]);
    check_serves(&at_rest("p-1", "p-2"), &both, "p-1", [one.clone(), zero.clone()]);
    let waiting = [ready("p-1"), revision("p-2", "Unknown", "Deploying")];
    check_serves(&at_rest("p-1", "p-2"), &waiting, "p-2", [one.clone(), zero]);
    check_serves(&at_rest("p-1", "p-2"), &[ready("p-2")], "p-2", [Known::Absent, one.clone()]);
    // What has a share serves on, whatever was pushed since.
    let shared = json!([{"revisionName": "p-2", "percent": 30}, {"revisionName": "p-1", "percent": 70}]);
    check_serves(&service("p-1", "p-3", shared), &both, "p-2", [one.clone(), one.clone()]);
    check_serves(&service("", "p-1", Value::Null), &both, "p-1", [Known::Absent, one]);
}

#[test]
fn what_is_not_ready_says_why() {
    let check = |revisions: &[Value], expect: Readiness| {
        with(|subject| {
            let have = observed(subject, &at_rest("p-1", "p-2"), revisions);
            let readiness = KnativeServices.readiness(subject, Side::Canary, &Demand::default(), &have);
            assert_eq!(readiness.unwrap(), expect);
        });
    };
    let waiting = |text: &str| Readiness::Waiting(text.to_owned());
    check(&[revision("p-2", "True", "")], Readiness::Ready);
    check(
        &[revision("p-2", "Unknown", "Deploying")],
        waiting("Knative Revision p-2.test is not ready: Deploying"),
    );
    check(
        &[revision("p-2", "False", "ProgressDeadlineExceeded")],
        Readiness::Failed("Knative Revision p-2.test is not ready: ProgressDeadlineExceeded".to_owned()),
    );
    check(
        &[],
        waiting("Knative Revision p-2.test get query error: revisions.serving.knative.dev \"p-2\" not found"),
    );
}

/// The fields that a copy writes.
fn body(copy: PrimaryCopy) -> Value {
    match copy {
        PrimaryCopy::Write { change, .. } => match change.action {
            Action::Merge { body, .. } => body,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn of(name: &str) -> Revision {
    revision_of(name)
}

#[test]
fn the_primary_is_named_in_an_annotation_once_knative_has_created_a_revision() {
    with(|subject| {
        let fresh = service("", "p-1", json!([{"latestRevision": true, "percent": 100}]));
        let create = |service: &Value, revisions: &[Value], expected: &str| {
            let have = observed(subject, service, revisions);
            KnativeServices.create_primary(subject, service, Some(&of(expected)), &have)
        };
        let copy = create(&fresh, &[], "p-1").unwrap();
        assert_eq!(body(copy), json!({"metadata": {"annotations": {knative::PRIMARY_REVISION: "p-1"}}}));
        assert_eq!(create(&fresh, &[], "p-0"), Ok(PrimaryCopy::Moved { found: of("p-1") }));
        let error = create(&service("", "", Value::Null), &[], "p-1").unwrap_err().to_string();
        assert!(error.ends_with("is empty: Knative has not created a Revision of it yet"), "{error}");
        let ready = [revision("p-1", "True", "")];
        assert_eq!(create(&at_rest("p-1", "p-1"), &ready, "p-1"), Ok(PrimaryCopy::Held));
        assert_eq!(create(&at_rest("p-1", "p-2"), &ready, "p-2"), Ok(PrimaryCopy::Exists));
        let error = create(&at_rest("p-1", "p-1"), &[], "p-1").unwrap_err().to_string();
        assert!(error.ends_with("\"p-1\" not found"), "{error}");
    });
}

#[test]
fn a_promotion_changes_annotation_and_traffic_in_one_write() {
    with(|subject| {
        let shared = json!([{"revisionName": "p-2", "percent": 50}, {"revisionName": "p-1", "percent": 50}]);
        let live = service("p-1", "p-2", shared);
        let promote = |expected: &str| {
            KnativeServices.promote(subject, &live, &of(expected), &Objects::default()).unwrap()
        };
        let entry = json!({"revisionName": "p-2", "latestRevision": false, "percent": 50});
        let expect = json!({
            "metadata": {"annotations": {knative::PRIMARY_REVISION: "p-2"}}, "spec": {"traffic": [entry, entry]},
        });
        assert_eq!(body(promote("p-2")), expect);
        assert_eq!(promote("p-3"), PrimaryCopy::Moved { found: of("p-2") });
    });
}

#[test]
fn of_a_revision_only_its_readiness_is_kept() {
    let mut live = revision("p-1", "True", "");
    live["spec"] = json!({"containers": [{"image": "podinfo:6.0.0"}]});
    live["metadata"]["labels"] = json!({"a": "b"});
    let expect = json!({"metadata": {"name": "p-1", "namespace": "test"}, "status": revision("p-1", "True", "")["status"]});
    assert_eq!(RevisionProjection.keep(live), expect);
    let new = json!({"metadata": {"name": "p-1"}});
    assert_eq!(
        RevisionProjection.keep(new),
        json!({"metadata": {"name": "p-1"}, "status": {"conditions": []}})
    );
}

#[test]
fn another_annotation_is_an_edit_of_the_primary() {
    let template = |held: &str| KnativeServices.template(&revision("p-1", "True", ""), Some(&of(held)));
    assert_eq!(template("p-1"), PrimaryTemplate::AsWritten);
    assert_eq!(template("p-2"), PrimaryTemplate::RolledBack);
    assert_eq!(KnativeServices.primary_revision(&revision("p-1", "", "")), Some(of("p-1")));
}
