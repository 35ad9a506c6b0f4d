//! What clients ask before they ask for objects: versions, groups, resources, and what they may do.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    answer::Answer,
    errors::Status,
    kubectl,
    registry::{Registry, Resource},
    request::{Request, is_get},
};

/// Answers a request that is for no resource.
pub(crate) fn answer(registry: &Registry, request: &Request) -> Answer {
    let steps: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let found = match steps.as_slice() {
        _ if !is_get(request) => None,
        ["healthz" | "livez" | "readyz", ..] => return Answer::text(200, "ok"),
        ["openapi", "v3", rest @ ..] => kubectl::openapi::document(registry, rest),
        ["version"] => Some(version()),
        ["api"] => Some(json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})),
        ["api", version] => resources(registry, "", version),
        ["apis"] => Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups(registry)})),
        ["apis", group] => group_alone(registry, group),
        ["apis", group, version] => resources(registry, group, version),
        _ => None,
    };
    match found {
        Some(body) => Answer::json(200, &body),
        None => match steps.as_slice() {
            ["api", _] => Answer::refused(&Status::no_such_resource()),
            ["apis", group, _] => nothing_there(registry, group),
            _ => Answer::text(404, "404 page not found\n"),
        },
    }
}

/// How a missing version or resource is worded: groups of custom kinds have no words of their own.
pub(crate) fn nothing_there(registry: &Registry, group: &str) -> Answer {
    match registry.all().any(|resource| resource.group == group && resource.custom.is_none()) {
        true => Answer::refused(&Status::no_such_resource()),
        false => Answer::text(404, "404 page not found\n"),
    }
}

/// Answers reviews, which are questions in the shape of objects: everybody may do everything here.
pub(crate) fn review(request: &Request) -> Option<Answer> {
    let address = request.address.as_ref()?;
    let kind = match (address.group.as_str(), address.plural.as_str()) {
        ("authorization.k8s.io", "selfsubjectaccessreviews") => "SelfSubjectAccessReview",
        ("authorization.k8s.io", "subjectaccessreviews") => "SubjectAccessReview",
        ("authorization.k8s.io", "localsubjectaccessreviews") => "LocalSubjectAccessReview",
        _ => return None,
    };
    if request.method != Method::POST {
        return None;
    }
    let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let body = json!({
        "kind": kind, "apiVersion": "authorization.k8s.io/v1",
        "metadata": {}, "spec": sent.get("spec").cloned().unwrap_or_default(),
        "status": {"allowed": true, "reason": "the testbed allows everything"},
    });
    Some(Answer::json(201, &body))
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "35", "emulationMajor": "1", "emulationMinor": "35",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "34", "gitVersion": "v1.35.0+vexil-testbed",
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "", "compiler": "rustc", "platform": "linux/amd64",
    })
}

fn groups(registry: &Registry) -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    for resource in registry.all().filter(|resource| !resource.group.is_empty()) {
        if !names.contains(&resource.group.as_str()) {
            names.push(&resource.group);
        }
    }
    names.into_iter().filter_map(|name| group(registry, name)).collect()
}

fn group(registry: &Registry, name: &str) -> Option<Value> {
    let mut versions: Vec<&str> = Vec::new();
    for resource in registry.all().filter(|resource| resource.group == name) {
        if !versions.contains(&resource.version.as_str()) {
            versions.push(&resource.version);
        }
    }
    versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
    let shown = |version: &&str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let preferred = shown(versions.first()?);
    let versions: Vec<Value> = versions.iter().map(shown).collect();
    Some(json!({"name": name, "versions": versions, "preferredVersion": preferred}))
}

/// How Kubernetes orders versions: stable before beta before alpha, higher before lower, all else last.
pub(crate) fn priority(version: &str) -> (u32, u32, u32) {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let major = digits(version.trim_start_matches('v'));
    let rest = version.trim_start_matches('v').trim_start_matches(major.as_str());
    let level = match rest {
        "" => 3,
        rest if rest.starts_with("beta") => 2,
        rest if rest.starts_with("alpha") => 1,
        _ => 0,
    };
    let minor = rest.trim_start_matches(char::is_alphabetic);
    (level, major.parse().unwrap_or_default(), minor.parse().unwrap_or_default())
}

fn group_alone(registry: &Registry, name: &str) -> Option<Value> {
    let mut body = group(registry, name)?;
    super::json::put(&mut body, &["kind"], json!("APIGroup"));
    super::json::put(&mut body, &["apiVersion"], json!("v1"));
    Some(body)
}

fn resources(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let mut list = Vec::new();
    for resource in registry.all().filter(|r| r.group == group && r.version == version) {
        list.push(whole(resource, &registry.stored(resource)));
        list.extend(parts(resource));
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    (!list.is_empty()).then(|| {
        let mut body = json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": list});
        if !group.is_empty() {
            super::json::put(&mut body, &["apiVersion"], json!("v1"));
        }
        body
    })
}

fn whole(resource: &Resource, stored: &Resource) -> Value {
    let mut body = Map::from_iter([
        ("name".to_owned(), json!(resource.plural)),
        ("singularName".to_owned(), json!(resource.singular)),
        ("namespaced".to_owned(), json!(resource.namespaced)),
        ("kind".to_owned(), json!(resource.kind)),
        ("verbs".to_owned(), verbs(resource)),
        ("storageVersionHash".to_owned(), json!(storage_hash(stored))),
    ]);
    if !resource.short_names.is_empty() {
        body.insert("shortNames".to_owned(), json!(resource.short_names));
    }
    if !resource.categories.is_empty() {
        body.insert("categories".to_owned(), json!(resource.categories));
    }
    Value::Object(body)
}

fn verbs(resource: &Resource) -> Value {
    match resource.custom.is_some() {
        _ if resource.is("", "Namespace") => {
            json!(["create", "delete", "get", "list", "patch", "update", "watch"])
        }
        true => json!(["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]),
        false => json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]),
    }
}

/// Tells clients when the stored version of a kind changes: a digest of group, version and kind.
fn storage_hash(resource: &Resource) -> String {
    let text = match (resource.group.as_str(), resource.kind.as_str()) {
        // Stored as what they were before they came to this group and version.
        ("events.k8s.io", "Event") => "/v1/Event".to_owned(),
        (group, kind @ "CustomResourceDefinition") => format!("{group}/v1beta1/{kind}"),
        (group, kind) => format!("{group}/{}/{kind}", resource.version),
    };
    STANDARD.encode(Sha256::digest(text).get(..8).unwrap_or_default())
}

fn parts(resource: &Resource) -> Vec<Value> {
    let mut parts = Vec::new();
    if resource.scale.is_some() {
        parts.push(json!({
            "name": format!("{}/scale", resource.plural), "singularName": "",
            "namespaced": resource.namespaced, "group": "autoscaling", "version": "v1", "kind": "Scale",
            "verbs": ["get", "patch", "update"],
        }));
    }
    if resource.has_status {
        parts.push(json!({
            "name": format!("{}/status", resource.plural), "singularName": "",
            "namespaced": resource.namespaced, "kind": resource.kind,
            "verbs": ["get", "patch", "update"],
        }));
    }
    if resource.custom.is_some() {
        parts.reverse();
    }
    parts
}
