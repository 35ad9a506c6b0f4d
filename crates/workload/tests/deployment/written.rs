//! Whether a primary still runs what was written to it: a hand edit and a rollback are not taken for our own writes.

use serde_json::{Value, json};
use vexil_analysis::Revision;
use vexil_object::Projection;
use vexil_workload::{DeploymentProjection, Deployments, PrimaryCopy, PrimaryTemplate, Workload};

use crate::fixture::{Scene, WRITTEN, patched, with};

const IMAGE: &str = "/spec/template/spec/containers/0/image";

/// The same answer from the whole object and from what the cache keeps of it.
fn check(primary: &Value, held: Option<&Revision>, expect: PrimaryTemplate) {
    assert_eq!(Deployments.template(primary, held), expect);
    assert_eq!(Deployments.template(&DeploymentProjection.keep(primary.clone()), held), expect, "projected");
}

fn promoted(scene: &Scene, target: &Value, primary: &Value) -> (Value, Revision) {
    let revision = Deployments.revision(target).unwrap();
    let world = scene.world(Some(target), Some(primary));
    match Deployments.promote(&scene.subject(), target, &revision, &world) {
        Ok(PrimaryCopy::Write { change, .. }) => (patched(primary, &change), revision),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_written_is_told_from_hand_edits_and_rollbacks() {
    let scene = Scene::default();
    let first = scene.primary_of(&scene.target());
    let first_revision = Deployments.revision(&scene.target()).unwrap();
    check(&first, Some(&first_revision), PrimaryTemplate::AsWritten);
    check(&first, None, PrimaryTemplate::AsWritten);

    let target = with(scene.target(), IMAGE, json!("stefanprodan/podinfo:6.0.1"));
    let (second, second_revision) = promoted(&scene, &target, &first);
    check(&second, Some(&second_revision), PrimaryTemplate::AsWritten);

    // kubectl rollout undo restores the template of the former ReplicaSet, and its annotations with it.
    check(&first, Some(&second_revision), PrimaryTemplate::RolledBack);
    check(&with(second.clone(), IMAGE, json!("hotfix:1")), Some(&second_revision), PrimaryTemplate::Edited);
    let former = first["spec"]["template"].clone();
    check(&with(second.clone(), "/spec/template", former), Some(&second_revision), PrimaryTemplate::Edited);
}

#[test]
fn scaling_and_foreign_metadata_are_no_edit() {
    let scene = Scene::default();
    let revision = Deployments.revision(&scene.target()).unwrap();
    let mut primary = with(scene.primary_of(&scene.target()), "/spec/replicas", json!(9));
    primary["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("4");
    primary["metadata"]["labels"]["cost-centre"] = json!("theirs");
    check(&primary, Some(&revision), PrimaryTemplate::AsWritten);
}

#[test]
fn a_primary_that_never_had_a_digest_gets_one_with_the_next_promotion() {
    let scene = Scene::default();
    let mut flaggers = scene.primary_of(&scene.target());
    flaggers["metadata"]["annotations"].as_object_mut().unwrap().remove(WRITTEN);
    check(&flaggers, None, PrimaryTemplate::Untracked);
    check(&with(flaggers.clone(), IMAGE, json!("hotfix:1")), None, PrimaryTemplate::Untracked);
    let target = with(scene.target(), IMAGE, json!("stefanprodan/podinfo:6.0.1"));
    let (after, revision) = promoted(&scene, &target, &flaggers);
    check(&after, Some(&revision), PrimaryTemplate::AsWritten);
}

#[test]
fn a_primary_that_is_asleep_is_told_from_one_that_is_not_ready() {
    let scene = Scene::default();
    let primary = scene.primary_of(&scene.target());
    for (spec, expect) in [(json!(0), 0), (json!(3), 3), (Value::Null, 1)] {
        let primary = with(primary.clone(), "/spec/replicas", spec);
        assert_eq!(Deployments.replicas(&DeploymentProjection.keep(primary)), Some(expect));
    }
}
