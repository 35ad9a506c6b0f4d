//! The torture itself: it forgets no field, finds what is broken, and is the same in each run.

use std::{mem, sync::PoisonError};

use serde_json::{Value, json};
use vexil_testbed_rig::KillSwitch;

use super::{
    deed::changed,
    drift,
    features::{CONFIG, Config, Features, HOOKS},
    fields::Fields,
    finding::Law,
    gates::Turn,
    laws,
    outcome::Outcome,
    place::{NAME, PLACES, Place, first_spec},
    run::once,
    scenarios, seeds,
    step::{Case, Moment, Step},
    world::World,
};

fn run(case: &Case) -> Outcome {
    once(case, true).unwrap()
}

fn place(name: &str) -> &'static Place {
    PLACES.iter().find(|place| place.name == name).unwrap()
}

#[test]
fn every_field_of_a_spec_is_edited_to_something_else() {
    let fields = Fields::read().unwrap();
    assert!(fields.count() > 200, "{}", fields.count());
    for place in &PLACES {
        let spec = first_spec(place);
        for field in 0..fields.count() {
            let edits = fields.edits_of(field, &spec);
            assert!(!edits.is_empty());
            for edit in edits {
                assert_ne!(edit.spec, spec, "{}: {}", place.name, edit.title);
            }
        }
    }
}

#[test]
fn weights_are_read_from_the_route_of_each_system() {
    let check = |name: &str, spec: Value| {
        let weights = place(name).weights(&json!({"spec": spec}));
        let expect = [("podinfo-primary".to_owned(), 75), ("podinfo-canary".to_owned(), 25)];
        assert_eq!(weights, expect, "{name}");
    };
    let both = |service: &str| {
        let entry = |side: &str, weight: u64| {
            let mut entry = json!({"weight": weight});
            entry[service] = format!("{NAME}-{side}").into();
            entry
        };
        json!([entry("primary", 75), entry("canary", 25)])
    };
    check("traefik", json!({"weighted": {"services": both("name")}}));
    check("smi", json!({"backends": both("service")}));
    check("apisix", json!({"http": [{"backends": both("serviceName")}]}));
    let kuma = |side: &str, weight: u64| json!({"weight": weight, "destination": {"kuma.io/service": format!("{NAME}-{side}_test_svc_80")}});
    check("gateway-api", json!({"rules": [{"backendRefs": both("name")}]}));
    let host = |side: &str| json!({"host": format!("{NAME}-{side}")});
    let route = json!([
        {"weight": 75, "destination": host("primary")}, {"weight": 25, "destination": host("canary")},
    ]);
    check("istio", json!({"http": [{"route": route}]}));
    check("kuma", json!({"conf": {"split": [kuma("primary", 75), kuma("canary", 25)]}}));
}

#[test]
fn the_same_seed_is_the_same_script_and_the_same_story() {
    let fields = Fields::read().unwrap();
    let scripts: Vec<Case> = (0..2).map(|_| seeds::case(&fields, 6, None).unwrap()).collect();
    assert_eq!(scripts[0].steps, scripts[1].steps);
    let stories: Vec<String> = scripts.iter().map(|case| run(case).story).collect();
    assert_eq!(stories[0], stories[1]);
}

#[test]
fn a_promotion_breaks_no_law() {
    let outcome = run(&scenarios::clean("crashes", 0).unwrap());
    assert_eq!(outcome.findings, [], "{}", outcome.story);
    assert!(outcome.requests > 100 && outcome.lost.is_empty(), "{:?}", outcome.lost);
}

/// Gates, hooks and configuration, with either kind of target.
#[test]
fn a_promotion_with_all_features_breaks_no_law() {
    for is_daemon_set in [false, true] {
        let config = Some(if is_daemon_set { Config::Secret } else { Config::Map });
        let hooks = HOOKS.to_vec();
        let features = Features { hooks, config, is_daemon_set, alerts: Some(503), ..Features::default() };
        let clean = scenarios::clean("crashes", 0).unwrap();
        let closed = |status| Step::Hook("confirm-promotion", status);
        let mut steps = clean.steps.clone();
        steps.extend([Step::Config("green"), closed(403), Step::Pass(60_000), closed(200)]);
        let outcome = run(&Case { features, steps, ..clean });
        assert_eq!(outcome.findings, [], "{}", outcome.story);
        let told = |text: &str| outcome.events.iter().filter(|(event, _)| event.contains(text)).count();
        assert!(
            told("waiting for promotion approval") == 1 && told("Post-rollout check") > 0,
            "{}",
            outcome.story
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_about_a_suspended_canary_is_found() {
    for (suspended, expect) in [(true, vec![Law::Suspended]), (false, vec![])] {
        let mut world =
            World::open(place("traefik"), &Features::default(), KillSwitch::new(None)).await.unwrap();
        let mut spec = world.spec.clone();
        spec["suspend"] = suspended.into();
        let ready = Step::Until(Moment::Phase("Initialized"));
        for step in [Step::Apply, ready, Step::Edit("suspend".to_owned(), spec), Step::Pass(5_000)] {
            world.carry_out(&step).await.unwrap();
        }
        let other = world.cluster.server().client_as("vexil/other");
        let patch = json!({"metadata": {"labels": {"edited": "true"}}}).to_string().into_bytes();
        let request = http::Request::patch("/api/v1/namespaces/test/services/podinfo-canary")
            .header("content-type", "application/merge-patch+json")
            .body(patch);
        other.request::<Value>(request.unwrap()).await.unwrap();
        let (mut outcome, case) = (Outcome::default(), scenarios::clean("crashes", 0).unwrap());
        laws::judge(&mut world, &case, &mut outcome);
        let found: Vec<Law> = outcome.findings.iter().map(|found| found.law).collect();
        assert_eq!(found, expect, "{:?}", outcome.findings);
    }
}

/// What passed a gate that was closed, an alert too many or too few, and a copy that is another.
#[tokio::test(start_paused = true)]
async fn what_breaks_the_laws_of_gates_alerts_and_copies_is_found() {
    let features = Features {
        hooks: vec!["confirm-rollout"],
        alerts: Some(200),
        config: Some(Config::Map),
        ..Features::default()
    };
    let mut world = World::open(place("traefik"), &features, KillSwitch::new(None)).await.unwrap();
    let case = scenarios::clean("crashes", 0).unwrap();
    for step in case.steps.iter().chain([&Step::Pass(10_000)]) {
        world.carry_out(step).await.unwrap();
    }
    let judge = |world: &mut World, expect: &[Law]| {
        let mut outcome = Outcome::default();
        laws::judge(world, &case, &mut outcome);
        let found: Vec<Law> = outcome.findings.iter().map(|found| found.law).collect();
        assert_eq!(found, expect, "{:?}", outcome.findings);
    };
    judge(&mut world, &[]);
    world.turned.push(Turn { at: 0, name: "confirm-rollout", status: 403 });
    judge(&mut world, &[Law::Gates]);
    world.turned.clear();

    let alerts = |world: &World, all| {
        mem::replace(&mut *world.alerts.lock().unwrap_or_else(PoisonError::into_inner), all)
    };
    let received = alerts(&world, Vec::new());
    judge(&mut world, &[Law::Alerts]);
    alerts(&world, [received.clone(), received[..1].to_vec()].concat());
    judge(&mut world, &[Law::Alerts]);
    alerts(&world, received);

    let copy = format!("{}-primary", CONFIG.0);
    world
        .cluster
        .merge(("v1", "ConfigMap"), ("test", &copy), &json!({"data": {"color": "blue"}}))
        .await
        .unwrap();
    judge(&mut world, &[Law::Configs]);
}

/// What breaks while the operator is dead or the Canary suspended is not excused, unless a user or an accident did it.
#[tokio::test(start_paused = true)]
async fn what_leads_nowhere_is_found_when_nothing_excuses_it() {
    let service = Step::DeleteService("podinfo-primary".to_owned());
    let suspend = changed(&first_spec(place("traefik")), &json!({"suspend": true}));
    let suspend = Step::Edit("suspend".to_owned(), suspend);
    for breaks in [[Step::Kill, service], [suspend, Step::EditRoute]] {
        for (excused, expect) in [(true, vec![]), (false, vec![Law::Answered, Law::LeadsToPods])] {
            let mut world =
                World::open(place("traefik"), &Features::default(), KillSwitch::new(None)).await.unwrap();
            let ready = Step::Until(Moment::Phase("Initialized"));
            let [first, second] = breaks.clone();
            for step in [Step::Apply, ready, Step::Pass(5_000), first, second, Step::Pass(15_000)] {
                world.carry_out(&step).await.unwrap();
            }
            if !excused {
                world.deeds.clear();
            }
            let (mut outcome, case) = (Outcome::default(), scenarios::clean("crashes", 0).unwrap());
            laws::judge(&mut world, &case, &mut outcome);
            let found: Vec<Law> = outcome.findings.iter().map(|found| found.law).collect();
            assert_eq!(found, expect, "{:?}", outcome.findings);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn drift_that_is_reported_was_an_edit() {
    let case = scenarios::clean("crashes", 0).unwrap();
    let mut world = World::open(place("traefik"), &Features::default(), KillSwitch::new(None)).await.unwrap();
    let ready = Step::Until(Moment::Phase("Initialized"));
    for step in [Step::Apply, ready, Step::Pass(5_000), Step::EditRoute, Step::Pass(5_000)] {
        world.carry_out(&step).await.unwrap();
    }
    let judge = |world: &World| {
        let mut outcome = Outcome::default();
        drift::judge(world, &case, &mut outcome);
        outcome.findings.iter().map(|found| found.law).collect::<Vec<_>>()
    };
    assert_eq!(judge(&world), []);
    world.deeds.clear();
    assert_eq!(judge(&world), [Law::Drift]);
}

#[tokio::test(start_paused = true)]
async fn clients_know_each_address_that_was_right_until_it_is_over() {
    let mut world = World::open(place("traefik"), &Features::default(), KillSwitch::new(None)).await.unwrap();
    let first = world.spec.clone();
    for step in [Step::Apply, Step::Until(Moment::Phase("Initialized"))] {
        world.carry_out(&step).await.unwrap();
    }
    let named = |name: &str| json!({"service": {"name": name}});
    for (title, change, addresses) in [
        ("service.port becomes 8080", json!({"service": {"port": 8080}}), 2),
        ("service.name becomes invalid: \"Not Valid!\"", named("Not Valid!"), 2),
        ("service.name becomes \"shop\"", named("shop"), 3),
        ("suspend becomes true", json!({"suspend": true}), 3),
    ] {
        world.carry_out(&Step::Edit(title.to_owned(), changed(&first, &change))).await.unwrap();
        assert_eq!(world.known_specs.len(), addresses, "{title}");
    }
    world.carry_out(&Step::EditBack).await.unwrap();
    world.forget_addresses().await;
    assert_eq!((&world.known_specs[..], world.phase()), (&[first][..], "Initialized".to_owned()));
}
