//! The torture itself: it forgets no field, finds what is broken, and is the same in each run.

use serde_json::{Value, json};
use vexil_testbed_rig::Leash;

use super::{
    features::Features,
    fields::Fields,
    finding::Law,
    laws,
    place::{NAME, PLACES, Place},
    play::Outcome,
    run::once,
    scenarios, seeds,
    step::{Case, Moment, Step},
    world::{self, World},
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
        let spec = world::first_spec(place);
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

/// What breaks while the operator is dead is not excused, unless a user or an accident did it.
#[tokio::test(start_paused = true)]
async fn what_leads_nowhere_is_found_when_nothing_excuses_it() {
    for (excused, expect) in [(true, vec![]), (false, vec![Law::Answered, Law::LeadsToPods])] {
        let mut world = World::open(place("traefik"), &Features::default(), Leash::new(None)).await.unwrap();
        let service = Step::DeleteService("podinfo-primary".to_owned());
        let ready = Step::Until(Moment::Phase("Initialized"));
        for step in [Step::Apply, ready, Step::Pass(5_000), Step::Kill, service, Step::Pass(15_000)] {
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
