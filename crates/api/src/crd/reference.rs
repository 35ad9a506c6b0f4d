//! The pages that list the fields of each kind.

use expect_test::expect_file;
use serde_json::Value;

use super::crds;

/// A page about one kind: a section for each object of its spec and status, a row for each field.
fn page(plural: &str) -> String {
    let crd = crds().unwrap().into_iter().find(|crd| crd.plural == plural).unwrap();
    let spec = &crd.manifest["spec"];
    let kind = spec["names"]["kind"].as_str().unwrap();
    let versions = spec["versions"].as_array().unwrap();
    let served: Vec<String> = versions
        .iter()
        .map(|version| format!("`flagger.app/{}`", version["name"].as_str().unwrap()))
        .collect();
    let schema = &versions[0]["schema"]["openAPIV3Schema"];
    let mut page = format!(
        "# {kind}\n\n<!-- Made by `cargo xtask docs --write` from crates/api. -->\n\n{} Served as {}.\n",
        text(schema, "description"),
        served.join(" and "),
    );
    for root in ["spec", "status"] {
        section(&schema["properties"][root], root, &mut page);
    }
    page
}

fn text(schema: &Value, key: &str) -> String {
    schema[key].as_str().unwrap_or_default().replace('|', "\\|").replace('<', "\\<")
}

/// The fields of an object, then the objects below it.
fn section(schema: &Value, path: &str, page: &mut String) {
    page.push_str(&format!("\n## `{path}`\n"));
    let description = text(schema, "description");
    if !description.is_empty() {
        page.push_str(&format!("\n{description}\n"));
    }
    page.push_str("\n| field | type | allowed, default | meaning |\n|---|---|---|---|\n");
    let fields = schema["properties"].as_object().unwrap();
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in fields {
        let mut rules = rules(field);
        if required.contains(&name.as_str()) {
            rules.insert(0, "required".to_owned());
        }
        let (type_, rules) = (type_of(field), rules.join("; "));
        page.push_str(&format!("| `{name}` | {type_} | {rules} | {} |\n", text(field, "description")));
    }
    for (name, field) in fields {
        // The other name of `analysis`.
        if path == "spec" && name == "canaryAnalysis" {
            continue;
        }
        if let Some((below, suffix)) = object_in(field, "") {
            section(below, &format!("{path}.{name}{suffix}"), page);
        }
    }
}

/// The object with fields that a field is, or has as its elements.
fn object_in<'a>(schema: &'a Value, suffix: &str) -> Option<(&'a Value, String)> {
    if schema["properties"].is_object() {
        return Some((schema, suffix.to_owned()));
    }
    [("items", "[]"), ("additionalProperties", ".*")]
        .into_iter()
        .find_map(|(key, mark)| object_in(schema.get(key)?, &format!("{suffix}{mark}")))
}

fn type_of(schema: &Value) -> String {
    if schema.get("x-kubernetes-int-or-string").is_some() {
        return "integer or string".to_owned();
    }
    if schema["items"].is_object() {
        return format!("list of {}", type_of(&schema["items"]));
    }
    if schema["additionalProperties"].is_object() {
        return format!("map of {}", type_of(&schema["additionalProperties"]));
    }
    schema["type"].as_str().unwrap_or("any").to_owned()
}

fn rules(schema: &Value) -> Vec<String> {
    let mut rules = Vec::new();
    if let Some(texts) = schema["enum"].as_array() {
        let texts = texts.iter().filter_map(Value::as_str).filter(|text| !text.is_empty());
        rules.push(texts.map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", "));
    }
    if let Some(default) = schema.get("default").filter(|default| *default != "") {
        rules.push(format!(
            "default `{}`",
            default.as_str().map_or_else(|| default.to_string(), str::to_owned)
        ));
    }
    for (key, words) in [("minimum", "at least"), ("maximum", "at most")] {
        rules.extend(schema.get(key).map(|number| format!("{words} {number}")));
    }
    for (key, unit) in [("maxLength", "characters"), ("maxItems", "entries"), ("maxProperties", "entries")] {
        let limit = schema.get(key).filter(|_| schema.get("enum").is_none());
        rules.extend(limit.map(|most| format!("at most {most} {unit}")));
    }
    rules.extend(schema["pattern"].as_str().map(|pattern| match pattern {
        // These are patterns of names, and would be links in Markdown.
        _ if pattern.contains("](") => "in the form of a name".to_owned(),
        pattern => format!("`{}`", pattern.replace('|', "\\|")),
    }));
    rules
}

#[test]
fn the_reference_lists_every_field() {
    expect_file!["../../../../docs/reference/canary.md"].assert_eq(&page("canaries"));
    expect_file!["../../../../docs/reference/metric-template.md"].assert_eq(&page("metrictemplates"));
    expect_file!["../../../../docs/reference/alert-provider.md"].assert_eq(&page("alertproviders"));
}
