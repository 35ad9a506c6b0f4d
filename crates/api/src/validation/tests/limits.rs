//! Each limit: what is just allowed, and what is one too much. The schemas of the CRDs have the same numbers.

mod table;

use serde_json::{Map, Value, json};
use table::{CANARY, TEMPLATE};

use super::{context, good};
use crate::crd::{crds, tests::largest};
use crate::validation::{parse, parse_metric_template, summary, validate};

/// The value of that size at that path, everything around it as small as it can be. Weights grow.
fn sized(path: &str, size: usize) -> Value {
    let (here, rest) = match path.find(['.', '[', '{']) {
        Some(0) => path.split_at(path.find(']').map_or(1, |end| end + 1)),
        Some(at) => path.split_at(at),
        None => (path, ""),
    };
    match (here, rest) {
        ("", _) => unreachable!("{path}"),
        ("[]", _) => unreachable!("{path}"),
        (name, "[]") if name == "stepWeights" => json!({ name: (1..=size).collect::<Vec<_>>() }),
        (name, "[]") => json!({ name: vec![element(name); size] }),
        (name, "{}") => {
            let entries = (0..size).map(|n| (format!("k{n}"), entry(name)));
            json!({ name: entries.collect::<Map<_, _>>() })
        }
        (name, "") => json!({ name: "x".repeat(size) }),
        (name, rest) => match rest.strip_prefix("[0]") {
            Some("") => json!({ name: ["x".repeat(size)] }),
            Some(rest) => json!({ name: [sized(rest.trim_start_matches('.'), size)] }),
            None if rest == ".x[0]" => json!({ name: { "x": ["x".repeat(size)] } }),
            None => json!({ name: sized(rest.trim_start_matches('.'), size) }),
        },
    }
}

fn element(list: &str) -> Value {
    match list {
        "gatewayRefs" | "match" | "metrics" | "alerts" | "webhooks" | "mirror" | "allowOrigins"
        | "distribute" => json!({}),
        _ => json!("x"),
    }
}

fn entry(map: &str) -> Value {
    match map {
        "headers" | "queryParams" | "withoutHeaders" => json!({}),
        _ => json!("x"),
    }
}

/// What is said of too much.
fn too_much(path: &str, most: usize) -> String {
    let field = path.trim_end_matches("[]").trim_end_matches("{}");
    match field == path {
        true => format!("spec.{path}: is {} characters long; at most {most} are allowed", most + 1),
        false => format!("spec.{field}: has {} entries; at most {most} are allowed", most + 1),
    }
}

/// The object with these fields merged into its spec.
fn with_spec(mut object: Value, spec: Value) -> Value {
    super::patch(&mut object["spec"], &spec);
    object
}

#[test]
fn a_canary_may_reach_each_limit_and_not_go_beyond_it() {
    for (path, most) in CANARY {
        for root in ["analysis", "canaryAnalysis"] {
            let path = path.replacen("analysis", root, usize::from(path.starts_with("analysis")));
            let text =
                |size| parse(&with_spec(good(), sized(&path, size))).map_err(|defects| summary(&defects));
            assert_eq!(text(most).map(|_| ()), Ok(()), "{path}");
            assert_eq!(text(most + 1).map(|_| ()), Err(too_much(&path, most)));
        }
    }
}

#[test]
fn a_metric_template_may_reach_each_limit_and_not_go_beyond_it() {
    for (path, most) in TEMPLATE {
        let text = |size| {
            let template = with_spec(
                json!({ "spec": { "query": "x", "provider": { "type": "prometheus" } } }),
                template(path, size),
            );
            parse_metric_template(&template).map(|_| ()).map_err(|defects| summary(&defects))
        };
        assert_eq!(text(most), Ok(()), "{path}");
        assert_eq!(text(most + 1), Err(too_much(path, most)));
    }
}

/// As [`sized`], where a map holds lists.
fn template(path: &str, size: usize) -> Value {
    match path {
        "provider.headers{}" => {
            let entries = (0..size).map(|n| (format!("k{n}"), json!(["x"])));
            json!({ "provider": { "headers": entries.collect::<Map<_, _>>() } })
        }
        "provider.headers.x[]" => json!({ "provider": { "headers": { "x": vec!["x"; size] } } }),
        path => sized(path, size),
    }
}

/// The schema of a field, and the keyword of its limit.
fn limit_in(schema: &Value, path: &str) -> Value {
    let steps = path.replace("[]", ".[]").replace("{}", ".{}").replace("[0]", ".[0]");
    let mut node = &schema["properties"]["spec"];
    for step in steps.split('.').filter(|step| !step.is_empty()) {
        node = match step {
            "[]" => return node["maxItems"].clone(),
            "{}" => return node["maxProperties"].clone(),
            "[0]" => &node["items"],
            "x" => &node["additionalProperties"],
            name => &node["properties"][name],
        };
    }
    node["maxLength"].clone()
}

#[test]
fn the_definitions_have_the_limits_of_the_code() {
    let crds = crds().unwrap();
    for crd in &crds {
        let table: &[(&str, usize)] = match crd.plural {
            "canaries" => &CANARY,
            "metrictemplates" => &TEMPLATE,
            _ => &[("address", 4_096), ("proxy", 4_096), ("channel", 1_024), ("secretRef.name", 253)],
        };
        for version in crd.manifest["spec"]["versions"].as_array().unwrap() {
            let schema = &version["schema"]["openAPIV3Schema"];
            for (path, most) in table {
                assert_eq!(limit_in(schema, path), json!(most), "{path} of {}", crd.plural);
                if let Some(rest) = path.strip_prefix("analysis") {
                    assert_eq!(limit_in(schema, &format!("canaryAnalysis{rest}")), json!(most), "{path}");
                }
            }
            everything_is_bounded(&schema["properties"]["spec"], crd.plural);
        }
    }
}

/// Every field has a limit, also one that is added later.
fn everything_is_bounded(schema: &Value, path: &str) {
    let limit = match schema["type"].as_str() {
        Some("string") => Some("maxLength"),
        Some("array") => Some("maxItems"),
        Some("object") if schema.get("additionalProperties").is_some() => Some("maxProperties"),
        _ => None,
    };
    assert!(limit.is_none_or(|keyword| schema[keyword].is_u64()), "{path} has no {limit:?}");
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        everything_is_bounded(field, &format!("{path}.{name}"));
    }
    for part in ["items", "additionalProperties"].into_iter().filter_map(|part| schema.get(part)) {
        everything_is_bounded(part, &format!("{path}[]"));
    }
}

/// The smallest object of the kind that starved the operator: refused with one message, and nothing of it is judged.
#[test]
fn ten_thousand_event_hooks_are_one_message() {
    let hooks: Vec<Value> =
        (0..10_000).map(|n| json!({ "name": n, "type": "event", "url": "http://x/" })).collect();
    let object = with_spec(good(), json!({ "analysis": { "webhooks": hooks } }));
    let defects = parse(&object).unwrap_err();
    assert_eq!(summary(&defects), "spec.analysis.webhooks: has 10000 entries; at most 64 are allowed");
}

#[test]
fn what_schemas_cannot_say_is_refused_by_the_code() {
    let key = |length: usize| json!({ "service": { "apex": { "labels": { "k".repeat(length): "x" } } } });
    assert!(parse(&with_spec(good(), key(317))).is_ok());
    let text = summary(&parse(&with_spec(good(), key(318))).unwrap_err());
    let start = "k".repeat(40);
    let expect = format!(
        "spec.service.apex.labels: has the key `{start}…` of 318 characters; at most 317 are allowed"
    );
    assert_eq!(text, expect);
    let scripts = |length: usize| {
        let metadata: Map<_, _> = (0..5).map(|n| (format!("k{n}"), json!("x".repeat(length)))).collect();
        json!({ "analysis": { "webhooks": [{ "name": "h", "url": "http://x/", "metadata": metadata }] } })
    };
    assert!(parse(&with_spec(good(), scripts(52_000))).is_ok());
    let text = summary(&parse(&with_spec(good(), scripts(60_000))).unwrap_err());
    assert!(text.starts_with("spec: is 300"), "{text}");
    assert!(text.ends_with(" bytes long as JSON; at most 262144 are allowed"), "{text}");
}

/// Characters count, as in the schema, and not their bytes.
#[test]
fn lengths_are_counted_in_characters() {
    let label = |text: String| json!({ "service": { "apex": { "labels": { "x": text } } } });
    assert!(parse(&with_spec(good(), label("é".repeat(63)))).is_ok());
    assert!(parse(&with_spec(good(), label("🦀".repeat(64)))).is_err());
}

/// However much is wrong, one message says it and has a bounded length.
#[test]
fn many_mistakes_are_counted() {
    let hooks: Vec<Value> = (0..64).map(|_| json!({ "name": "", "url": "", "timeout": "xx" })).collect();
    let canary = parse(&with_spec(good(), json!({ "analysis": { "webhooks": hooks } }))).unwrap();
    let found = validate(&canary, &context());
    assert_eq!(found.defects.len(), 192);
    let text = summary(&found.defects);
    assert!(text.len() < 1_000 && text.ends_with(" more"), "{text}");
    let types: Map<_, _> = (0..64).map(|n| (format!("k{n}"), json!(1))).collect();
    let hooks = vec![json!({ "metadata": types }); 64];
    let defects = parse(&with_spec(good(), json!({ "analysis": { "webhooks": hooks } }))).unwrap_err();
    assert_eq!(defects.len(), 1_000);
}

/// What a cluster that ran the former version has stored still fits.
#[test]
fn an_object_with_every_field_is_within_the_limits() {
    assert!(parse(&largest("canaries", "Canary")).is_ok());
    let mut template = largest("metrictemplates", "MetricTemplate");
    // Not any key of a map is a name of a header.
    template["spec"]["provider"]["headers"] = json!({ "X-Scope-OrgID": ["tenant"] });
    assert!(parse_metric_template(&template).is_ok());
}
