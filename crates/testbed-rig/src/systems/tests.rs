//! Every example is what its guide says, is valid for its provider, and is taken by its cluster as it is written.

use std::collections::BTreeMap;

use serde_json::Value;
use vexil_api::{Capabilities, MetricTemplate, ValidationContext};
use vexil_testbed_cluster::{Cluster, Settings};

use super::{ALL_GUIDES, GUIDES, USUAL, guides};
use crate::guide::{Guide, tag};

/// What the guides write themselves: every field with its value, per file.
const FACTS: [(&str, &str); 4] = [
    ("kuma", include_str!("facts/kuma.txt")),
    ("smi-istio", include_str!("facts/smi-istio.txt")),
    ("traefik", include_str!("facts/traefik.txt")),
    ("apisix", include_str!("facts/apisix.txt")),
];

/// Where an example differs from what its guide writes: guide, file, field, the guide's value, ours, and why. Nowhere.
const DIFFERENCES: [(&str, &str, &str, &str, &str, &str); 0] = [];

/// What the guides fetch by URL, as far as a reader meets it: file, kind, field, value.
const FETCHED: [(&str, &str, &str, &str); 15] = [
    ("namespace.yaml", "Namespace", "metadata.name", r#""test""#),
    ("podinfo.yaml", "Deployment", "metadata.name", r#""podinfo""#),
    ("podinfo.yaml", "Deployment", "spec.progressDeadlineSeconds", "60"),
    ("podinfo.yaml", "Deployment", "spec.minReadySeconds", "5"),
    ("podinfo.yaml", "Deployment", "spec.template.spec.containers[0].name", r#""podinfod""#),
    (
        "podinfo.yaml",
        "Deployment",
        "spec.template.spec.containers[0].image",
        r#""ghcr.io/stefanprodan/podinfo:6.0.0""#,
    ),
    ("podinfo.yaml", "Deployment", "spec.template.spec.containers[0].ports[0].containerPort", "9898"),
    ("podinfo.yaml", "HorizontalPodAutoscaler", "apiVersion", r#""autoscaling/v2""#),
    ("podinfo.yaml", "HorizontalPodAutoscaler", "spec.scaleTargetRef.name", r#""podinfo""#),
    ("podinfo.yaml", "HorizontalPodAutoscaler", "spec.minReplicas", "2"),
    ("podinfo.yaml", "HorizontalPodAutoscaler", "spec.maxReplicas", "4"),
    ("podinfo.yaml", "HorizontalPodAutoscaler", "spec.metrics[0].resource.target.averageUtilization", "99"),
    ("loadtester.yaml", "Deployment", "metadata.name", r#""flagger-loadtester""#),
    ("loadtester.yaml", "Service", "spec.ports[0].port", "80"),
    ("loadtester.yaml", "Service", "metadata.name", r#""flagger-loadtester""#),
];

/// What one guide fetches differently from the others: guide, kind, field, value; empty where it has none.
const OF_ITS_OWN: [(&str, &str, &str, &str); 3] = [
    ("smi-istio", "Deployment", "spec.progressDeadlineSeconds", ""),
    ("smi-istio", "Deployment", "spec.minReadySeconds", ""),
    (
        "smi-istio",
        "Deployment",
        "spec.template.spec.containers[0].image",
        r#""quay.io/stefanprodan/podinfo:1.7.0""#,
    ),
];

type Fields = BTreeMap<String, String>;

/// Every leaf with its path.
fn fields(value: &Value) -> Fields {
    fn walk(path: &str, value: &Value, found: &mut Fields) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                walk(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, value, found);
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, value)| walk(&format!("{path}[{at}]"), value, found));
            }
            leaf => drop(found.insert(path.to_owned(), leaf.to_string())),
        }
    }
    let mut found = Fields::new();
    walk("", value, &mut found);
    found
}

fn objects(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn manifest(guide: &Guide, file: &str) -> &'static str {
    let found = guide.manifests.iter().find(|(name, _)| *name == file);
    found.unwrap_or_else(|| panic!("{} has no {file}", guide.name)).1
}

#[test]
fn what_a_guide_writes_is_written_as_it_writes_it() {
    for (name, facts) in FACTS {
        let [guide] = guides(name)[..] else { panic!("no guide {name}") };
        for section in facts.split("== ").filter(|section| !section.is_empty()) {
            let (file, lines) = section.split_once('\n').unwrap();
            let fact =
                |line: &str| line.split_once(" = ").map(|(path, value)| (path.to_owned(), value.to_owned()));
            let mut expect: Fields = lines.lines().filter_map(fact).collect();
            for (_, _, path, theirs, ours, why) in
                DIFFERENCES.iter().filter(|(guide, of, ..)| *guide == name && *of == file)
            {
                let before = expect.insert((*path).to_owned(), (*ours).to_owned());
                assert_eq!(before.as_deref(), Some(*theirs), "{name}/{file}, {path}: {why}");
            }
            let [object] = &objects(manifest(guide, file))[..] else {
                panic!("{name}/{file}: not one object")
            };
            assert_eq!(fields(object), expect, "{name}/{file}");
        }
    }
}

#[test]
fn what_a_guide_fetches_is_written_out() {
    for guide in GUIDES {
        for (file, kind, path, usual) in FETCHED {
            if file == "podinfo.yaml" && guide.system.target.kind != "Deployment" {
                continue;
            }
            let own = OF_ITS_OWN.iter().find(|own| (own.0, own.1, own.2) == (guide.name, kind, path));
            let own = own.filter(|_| file == "podinfo.yaml");
            let expect = Some(own.map_or(usual, |own| own.3)).filter(|value| !value.is_empty());
            let all = objects(manifest(guide, file));
            let object = all.iter().find(|object| text(object, "/kind") == kind).unwrap();
            let found = fields(object);
            assert_eq!(found.get(path).map(String::as_str), expect, "{}/{file}, {kind} {path}", guide.name);
        }
    }
}

#[test]
fn every_canary_is_valid_for_the_provider_of_its_guide_and_nothing_of_it_is_unknown() {
    let providers = GUIDES.map(|guide| (guide.system.provider, Capabilities::default()));
    for guide in GUIDES {
        let [object] = &objects(guide.canary())[..] else { panic!("{}: not one Canary", guide.name) };
        let canary = vexil_api::parse(object).unwrap_or_else(|defects| panic!("{}: {defects:?}", guide.name));
        let context = ValidationContext {
            default_provider: guide.system.provider,
            known_providers: &providers,
            router: Some(Capabilities {
                weights: guide.splits(),
                knative: !guide.system.target.is_copied,
                ..Capabilities::default()
            }),
            ..ValidationContext::default()
        };
        let found = vexil_api::validate(&canary, &context);
        assert_eq!((found.defects, found.remarks), (vec![], vec![]), "{}", guide.name);
        assert_eq!(canary.spec.provider().unwrap_or(guide.system.provider), guide.system.provider);
        let spec = serde_json::to_value(&canary.spec).unwrap();
        assert_eq!(&spec, object.get("spec").unwrap(), "{}: a field is unknown", guide.name);
    }
}

#[test]
fn metric_templates_are_valid() {
    for guide in GUIDES {
        for (file, text) in guide.manifests.iter().filter(|(_, text)| text.contains("kind: MetricTemplate")) {
            let template: MetricTemplate = serde_saphyr::from_str(text).unwrap();
            let own = guide.system.cluster.metric_server();
            assert_eq!(
                template.spec.provider.address.as_deref(),
                Some(format!("http://{own}").as_str()),
                "{file}"
            );
        }
    }
}

/// What a schema prunes, or a server refuses, is found here.
#[tokio::test]
async fn every_manifest_is_taken_by_the_cluster_of_its_guide_and_nothing_of_it_is_lost() {
    for guide in GUIDES {
        let cluster =
            Cluster::with(Settings { system: guide.system.cluster, ..Settings::default() }).await.unwrap();
        for (file, text_of_file) in guide.manifests {
            cluster.apply_yaml(text_of_file).await.unwrap_or_else(|error| panic!("{file}: {error:#}"));
            for object in objects(text_of_file) {
                let name = text(&object, "/metadata/name");
                let (version, kind) = (text(&object, "/apiVersion"), text(&object, "/kind"));
                let live =
                    cluster.get(version, kind, text(&object, "/metadata/namespace"), name).await.unwrap();
                let live = fields(&live.unwrap());
                // The server has its own spelling for quantities: `2000m` is `2`.
                let is_lost = |path: &String, value: &String| {
                    live.get(path) != Some(value) && !path.ends_with("limits.cpu")
                };
                let lost: Vec<_> =
                    fields(&object).into_iter().filter(|(path, value)| is_lost(path, value)).collect();
                assert_eq!(lost, [], "{}/{file}, {kind} {name}", guide.name);
            }
        }
    }
}

#[test]
fn the_examples_of_a_folder_are_all_played() {
    let examples = vexil_launcher::root().join("examples");
    for guide in GUIDES {
        let entries = std::fs::read_dir(examples.join(guide.name)).unwrap();
        let mut there: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let mut played: Vec<_> = guide.manifests.iter().map(|(name, _)| (*name).to_owned()).collect();
        there.sort();
        played.sort();
        assert_eq!(there, played, "{}", guide.name);
    }
    let mut folders: Vec<_> =
        std::fs::read_dir(&examples).unwrap().map(|entry| entry.unwrap().path()).collect();
    // A program that shows the libraries is no guide.
    folders.retain(|path| path.is_dir() && !path.join("Cargo.toml").exists());
    assert_eq!(folders.len(), GUIDES.len(), "a folder without a guide");
}

#[test]
fn guides_are_found_by_name_and_push_what_differs() {
    assert_eq!(guides(ALL_GUIDES).len(), GUIDES.len());
    assert_eq!(guides(USUAL.name).len(), 1);
    assert!(guides("appmesh").is_empty());
    for guide in GUIDES {
        let first = "spec.template.spec.containers[0].image";
        let all = objects(manifest(guide, "podinfo.yaml"));
        let written: Value = fields(all.first().unwrap())[first].parse().unwrap();
        let images = &guide.images;
        let mut tags: Vec<&str> = [written.as_str().unwrap(), images.good, images.crashing, images.bad]
            .map(tag)
            .into_iter()
            .collect();
        assert!(tags.last().unwrap().starts_with("bad"), "{tags:?}");
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), 4, "{}: the same version twice", guide.name);
    }
}
