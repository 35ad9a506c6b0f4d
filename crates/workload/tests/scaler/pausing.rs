//! Who holds the target's pods: KEDA, the user, or none of them between rollouts.

use serde_json::{Value, json};
use vexil_object::{Change, Store};

use crate::fixture::{Scene, guides_scaled_object, keda};

const REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";
const PAUSED: &str = "autoscaling.keda.sh/paused";

fn pause(scene: &Scene) -> Option<Change> {
    scene.scaler().pause(&scene.subject(), &scene.reference, &scene.have()).unwrap()
}

fn resume(scene: &Scene) -> Option<Change> {
    scene.scaler().resume(&scene.subject(), &scene.reference, &scene.have()).unwrap()
}

/// What the source's annotations say about pausing.
fn said(scene: &Scene) -> Vec<(String, String)> {
    let source = scene.store.get(&scene.source_key()).unwrap();
    let annotations = source["metadata"]["annotations"].as_object().into_iter().flatten();
    let about = annotations.filter(|(key, _)| key.starts_with("autoscaling.keda.sh/"));
    about.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
}

#[test]
fn a_rest_leaves_what_the_user_said_about_pausing() {
    let check = |annotations: Value, resting: &[(&str, &str)], woken: &[(&str, &str)]| {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let mut scene = keda();
        scene.edit(&scene.source_key(), json!({"metadata": {"annotations": annotations}}));
        for _ in 0..2 {
            if let Some(change) = pause(&scene) {
                scene.store.apply(&change).unwrap();
            }
            assert_eq!((said(&scene), pause(&scene)), (owned(resting), None), "{annotations} paused");
            if let Some(change) = resume(&scene) {
                scene.store.apply(&change).unwrap();
            }
            assert_eq!((said(&scene), resume(&scene)), (owned(woken), None), "{annotations} resumed");
        }
    };
    check(json!({}), &[(REPLICAS, "0")], &[]);
    check(json!(null), &[(REPLICAS, "0")], &[]);
    // Ours wins while it is there; then the user's word is all there is, as before.
    check(json!({PAUSED: "true"}), &[(PAUSED, "true"), (REPLICAS, "0")], &[(PAUSED, "true")]);
    check(json!({REPLICAS: "5"}), &[(REPLICAS, "5")], &[(REPLICAS, "5")]);
    check(json!({REPLICAS: ""}), &[(REPLICAS, "")], &[(REPLICAS, "")]);
    // Whichever client wrote it, a target between rollouts has it: it goes for a rollout and comes back after it.
    check(json!({REPLICAS: "0"}), &[(REPLICAS, "0")], &[]);
}

#[test]
fn a_scaler_that_is_not_there_or_not_the_targets_is_let_be() {
    let check = |scene: Scene| assert_eq!((pause(&scene), resume(&scene)), (None, None));
    check(Scene { store: Store::default(), ..keda() });
    check(Scene::with("ScaledObject", guides_scaled_object()));
    let mut gone = keda();
    gone.store.remove(&gone.source_key());
    check(gone);
    let mut other = keda();
    other.edit(&other.source_key(), json!({"spec": {"scaleTargetRef": {"name": "shop"}}}));
    check(other);
    let scene = keda();
    let have = scene.not_knowing(&scene.source_key());
    assert!(scene.scaler().pause(&scene.subject(), &scene.reference, &have).is_err());
    assert!(scene.scaler().resume(&scene.subject(), &scene.reference, &have).is_err());
}

#[test]
fn a_paused_target_makes_no_paused_primary() {
    let check = |annotations: Value| {
        let mut scene = keda();
        scene.edit(&scene.source_key(), json!({"metadata": {"annotations": annotations}}));
        let primary = scene.settled();
        let copied = primary["metadata"]["annotations"].as_object().unwrap();
        assert!(!copied.keys().any(|key| key.starts_with(PAUSED)), "{copied:?}");
    };
    check(json!({REPLICAS: "0"}));
    check(json!({REPLICAS: "5", PAUSED: "true"}));
    check(json!({"autoscaling.keda.sh/paused-scale-in": "true"}));
}

#[test]
fn a_primary_that_was_copied_asleep_is_woken_and_one_that_the_user_paused_is_not() {
    let check = |annotations: Value, after: Value| {
        let mut scene = keda();
        let before = scene.settled();
        scene.edit(&scene.primary_key(), json!({"metadata": {"annotations": annotations}}));
        let healed = scene.settled();
        let mut expect = before["metadata"]["annotations"].clone();
        vexil_object::merge(&mut expect, &after);
        assert_eq!((&healed["metadata"]["annotations"], &healed["spec"]), (&expect, &before["spec"]));
    };
    check(json!({REPLICAS: "0"}), json!({}));
    check(json!({REPLICAS: "0", "note": "mine"}), json!({"note": "mine"}));
    check(json!({REPLICAS: "7"}), json!({REPLICAS: "7"}));
    check(json!({PAUSED: "true"}), json!({PAUSED: "true"}));
}
