//! Many objects, large ones, shared ones, ones that change often, and crashes.

use vexil_testbed_apiserver::{Fault, FaultAction, Matcher};

use super::*;

#[tokio::test(start_paused = true)]
async fn two_canaries_share_the_copy_of_one_config_map() {
    let mut stage = tracking().await;
    let mut other = deployment("other", json!({"app": "other"}), "6.0.0");
    manifests::merge(&mut other["spec"]["template"]["spec"]["containers"][0], &from_map("web"));
    apply(&stage, &other).await;
    watch(&stage, "other", &json!({})).await;
    stage.until_phase("other", "Initialized").await;
    let owners = |copy: &Value| {
        let owners = copy["metadata"]["ownerReferences"].as_array().unwrap().clone();
        owners.iter().map(|owner| (owner["name"].clone(), owner["controller"].clone())).collect::<Vec<_>>()
    };
    let copy = copy_of(&stage, CONFIG_MAP, "web").await;
    assert_eq!(owners(&copy), [(json!(NAME), json!(true)), (json!("other"), json!(false))]);
    apply(&stage, &color("green")).await;
    for name in [NAME, "other"] {
        stage.until_phase(name, "Succeeded").await;
    }
    stage.pass(60.0).await;
    let copy = copy_of(&stage, CONFIG_MAP, "web").await;
    assert_eq!((copy["data"]["color"].as_str(), owners(&copy).len()), (Some("green"), 2));
    for name in [NAME, "other"] {
        assert_eq!(stage.canary(name).await["status"]["run"], 1, "{name}");
    }
}

/// The analysis begins anew with each rotation, as with each push. It ends when the rotations do.
#[tokio::test(start_paused = true)]
async fn a_secret_that_is_rotated_every_minute_costs_one_read_each_time_and_shows_up_nowhere() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, &secret("key", "TUFSS0VSMA==")).await;
    start(&mut stage, &target(&json!({"envFrom": [{"secretRef": {"name": "key"}}]}), &json!({}))).await;
    let slow = json!({"spec": {"analysis": {"interval": "60s"}}});
    stage.cluster.merge(("flagger.app/v1beta1", "Canary"), ("test", NAME), &slow).await.unwrap();
    let reads = |stage: &Stage| {
        let entries = stage.cluster.server().audit().of(OPERATOR);
        entries
            .iter()
            .filter(|entry| entry.verb == "get" && entry.resource == "secrets" && entry.name == "key")
            .count()
    };
    let before = reads(&stage);
    for rotation in 1..=10 {
        let value = ["TUFSS0VSMQ==", "TUFSS0VSMg=="][rotation % 2];
        stage
            .cluster
            .merge(
                SECRET,
                ("test", "key"),
                &json!({"data": {"token": value, "n": format!("AAA{}", rotation % 9)}}),
            )
            .await
            .unwrap();
        stage.pass(60.0).await;
        assert_eq!(status(&stage).await["phase"], "Progressing");
    }
    assert_eq!(reads(&stage) - before, 10, "one read for each rotation");
    stage.until_phase(NAME, "Succeeded").await;
    let source = live(&stage, SECRET, "key").await;
    assert_eq!(copy_of(&stage, SECRET, "key").await["data"], source["data"]);
    let story = stage.story(NAME).text();
    let seen = [
        story,
        stage.canary(NAME).await.to_string(),
        live(&stage, DEPLOYMENT, "podinfo-primary").await.to_string(),
    ];
    for text in seen {
        assert!(!text.contains("TUFSS0VS") && !text.contains("MARKER"), "{text}");
    }
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn five_hundred_objects_and_a_large_one_are_tracked() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    let sources: Vec<Value> = (0..500).map(|n| json!({"configMap": {"name": format!("c-{n:03}")}})).collect();
    for n in 0..500 {
        let size = if n == 0 { 1_000_000 } else { 10 };
        apply(&stage, &config(&format!("c-{n:03}"), &json!({"data": {"text": "x".repeat(size)}}))).await;
    }
    let volumes = json!({"volumes": [{"name": "all", "projected": {"sources": sources}}]});
    start(&mut stage, &target(&json!({}), &volumes)).await;
    assert_eq!(status(&stage).await["trackedConfigs"].as_object().unwrap().len(), 500);
    stage
        .cluster
        .merge(CONFIG_MAP, ("test", "c-000"), &json!({"data": {"text": "y".repeat(1_000_000)}}))
        .await
        .unwrap();
    stage.until_phase(NAME, "Succeeded").await;
    assert!(copy_of(&stage, CONFIG_MAP, "c-000").await["data"]["text"].as_str().unwrap().starts_with('y'));
    let entries = stage.cluster.server().audit().of(OPERATOR);
    let writes = entries.iter().filter(|entry| entry.resource == "configmaps" && entry.is_write()).count();
    assert_eq!(writes, 501, "each copy once, and the one that changed");
    let before = requests(&stage);
    stage.pass(600.0).await;
    assert_eq!(requests(&stage) - before, 0);
}

/// The status is the memory of a rollout: what would not fit into it is refused before anything is created.
#[tokio::test(start_paused = true)]
async fn objects_whose_checksums_do_not_fit_into_the_status_are_refused_once() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    let name = |n: usize| format!("{}-{n:03}", "c".repeat(200));
    let sources: Vec<Value> = (0..250).map(|n| json!({"configMap": {"name": name(n)}})).collect();
    for n in 0..250 {
        apply(&stage, &config(&name(n), &json!({"data": {"text": "x"}}))).await;
    }
    let volumes = |count| json!({"volumes": [{"name": "all", "projected": {"sources": sources[..count]}}]});
    apply(&stage, &target(&json!({}), &volumes(250))).await;
    watch(&stage, NAME, &json!({})).await;
    stage.pass(300.0).await;
    let text = "target podinfo.test uses 250 ConfigMaps and Secrets, whose names and checksums make 59000 bytes of \
                status.trackedConfigs, at most 49152 fit; annotate those that are not part of a release with \
                flagger.app/config-tracking: disabled";
    assert_eq!(stage.reported(NAME, text), 1, "{}", stage.story(NAME).text());
    assert_eq!(live(&stage, DEPLOYMENT, "podinfo-primary").await, Value::Null);
    apply(&stage, &target(&json!({}), &volumes(200))).await;
    stage.until_phase(NAME, "Initialized").await;
    assert_eq!(status(&stage).await["trackedConfigs"].as_object().unwrap().len(), 200);
}

#[tokio::test(start_paused = true)]
async fn disabling_and_enabling_opt_out_moves_the_primary_to_the_original_with_the_next_promotion() {
    let mut stage = tracking().await;
    let disabled = json!({"metadata": {"annotations": {"flagger.app/config-tracking": "disabled"}}});
    stage.cluster.merge(CONFIG_MAP, ("test", "web"), &disabled).await.unwrap();
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(30.0).await;
    let from = |object: &Value| {
        object["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"].clone()
    };
    assert_eq!(from(&live(&stage, DEPLOYMENT, "podinfo-primary").await), "web");
    assert_eq!(status(&stage).await["trackedConfigs"], json!({}));
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await, Value::Null);
    apply(&stage, &color("green")).await;
    stage.pass(60.0).await;
    assert_eq!(status(&stage).await["run"], 1, "it is not tracked any more");
}

/// The status as an operator without tracking leaves it, and one with tracking.
#[tokio::test(start_paused = true)]
async fn without_tracking_nothing_is_watched_copied_or_rolled_out() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.config_tracking = false;
    stage.start();
    apply(&stage, &color("red")).await;
    start(&mut stage, &target(&from_map("web"), &json!({}))).await;
    apply(&stage, &color("green")).await;
    stage.pass(60.0).await;
    assert_eq!(
        (status(&stage).await["phase"].as_str(), status(&stage).await["trackedConfigs"].is_null()),
        (Some("Initialized"), true)
    );
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await, Value::Null);
    let entries = stage.cluster.server().audit().of(OPERATOR);
    assert_eq!(entries.iter().filter(|entry| entry.resource == "configmaps").count(), 0);
    // Enabled: what the primary has was never compared, so a rollout starts. Disabled again: none does.
    stage.kill().await;
    stage.config_tracking = true;
    stage.start();
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await["data"]["color"], "green");
    stage.kill().await;
    stage.config_tracking = false;
    stage.start();
    stage.pass(120.0).await;
    assert_eq!(status(&stage).await["run"], 1);
    stage.check_laws(NAME);
}

/// The operator is killed after each of its writes, again and again.
#[tokio::test(start_paused = true)]
async fn a_crash_after_any_write_changes_nothing() {
    for writes in 1..12 {
        let mut stage = tracking().await;
        stage.kill().await;
        stage.cut_again = Some(writes);
        stage.start_on(crate::cluster::KillSwitch::new(Some(writes)));
        apply(&stage, &color("green")).await;
        stage.until_phase(NAME, "Succeeded").await;
        stage.pass(30.0).await;
        assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await["data"]["color"], "green");
        assert_eq!(status(&stage).await["run"], 1);
        stage.check_laws(NAME);
    }
}

/// The API server wants one of two objects to be read later. The other one is not read again and again meanwhile.
#[tokio::test(start_paused = true)]
async fn a_read_that_is_throttled_repeats_no_other_read() {
    let mut stage = tracking().await;
    let reads = |stage: &Stage| {
        let entries = stage.cluster.server().audit().of(OPERATOR);
        entries.iter().filter(|entry| entry.verb == "get" && entry.resource == "configmaps").count()
    };
    stage.kill().await;
    let before = reads(&stage);
    let matcher = Matcher { name: Some("web".to_owned()), ..Matcher::new("get", "configmaps") };
    let answer = FaultAction::Answer { code: 429, retry_after: Some(5) };
    stage.cluster.server().faults().push(Fault::once(matcher, answer));
    stage.start();
    stage.pass(4.0).await;
    assert!(reads(&stage) - before <= 2, "{} reads before the time is over", reads(&stage) - before);
    stage.pass(10.0).await;
    assert!(reads(&stage) - before <= 4, "{} reads", reads(&stage) - before);
    apply(&stage, &color("green")).await;
    stage.until_phase(NAME, "Succeeded").await;
}
