//! What a program is made of, as CycloneDX 1.6: each package that is compiled into it, with its licence, its checksum
//! and what it needs.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    process::Command,
};

use anyhow::Context as _;
use serde_json::{Value, json};
use vexil_launcher::root;

use super::host;
use crate::charts::said;

/// The list for a package of the workspace, from `cargo metadata` and `Cargo.lock`.
///
/// # Errors
/// If cargo does not answer.
pub fn of(package: &str, version: &str) -> anyhow::Result<Value> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["metadata", "--format-version=1", "--locked", "--filter-platform", &host()?]);
    command.current_dir(root());
    let metadata: Value = serde_json::from_str(&said(command)?)?;
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    listed(package, version, &metadata, &checksums(&lock))
}

/// Checksums of packages by name and version, as the lock file has them.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let packages = lock.split("[[package]]").filter_map(|package| {
        let field = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        Some(((field("name")?, field("version")?), field("checksum")?))
    });
    packages.collect()
}

fn listed(
    package: &str,
    version: &str,
    metadata: &Value,
    checksums: &BTreeMap<(String, String), String>,
) -> anyhow::Result<Value> {
    let list = |pointer: &str| metadata.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let by_id = |list: Vec<&'_ Value>| -> BTreeMap<String, Value> {
        let id = |item: &Value| item["id"].as_str().unwrap_or_default().to_owned();
        list.into_iter().map(|item| (id(item), item.clone())).collect()
    };
    let (packages, nodes) = (by_id(list("/packages").collect()), by_id(list("/resolve/nodes").collect()));
    let root = packages.iter().find(|(_, it)| it["name"] == package).map(|(id, _)| id.clone());
    let root = root.with_context(|| format!("there is no package {package}"))?;
    let mut found = BTreeSet::from([root.clone()]);
    let mut rest = vec![root.clone()];
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Some(id) = rest.pop() {
        let needed = nodes.get(&id).map(compiled_in).unwrap_or_default();
        rest.extend(needed.iter().filter(|id| found.insert((*id).clone())).cloned());
        needs.insert(id, needed);
    }
    let reference = |id: &String| packages.get(id).map(purl).unwrap_or_default();
    let components: Vec<Value> = found
        .iter()
        .filter(|id| **id != root)
        .filter_map(|id| packages.get(id))
        .map(|package| component(package, checksums))
        .collect();
    let mut dependencies: Vec<Value> = needs
        .iter()
        .map(|(id, needed)| {
            let needed: BTreeSet<String> = needed.iter().map(reference).collect();
            json!({"ref": reference(id), "dependsOn": needed})
        })
        .collect();
    dependencies.sort_by_key(|entry| entry["ref"].to_string());
    let mut program = packages.get(&root).map(|package| component(package, checksums)).unwrap_or_default();
    if let Some(program) = program.as_object_mut() {
        program.insert("type".to_owned(), "application".into());
        program.insert("version".to_owned(), version.into());
    }
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": program},
        "components": components,
        "dependencies": dependencies,
    }))
}

/// The packages that a node of the graph needs when it is compiled into a program: not those of its tests and build
/// scripts.
fn compiled_in(node: &Value) -> Vec<String> {
    let dependencies = node["deps"].as_array().into_iter().flatten();
    let normal = dependencies.filter(|dependency| {
        let mut kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
        kinds.any(|kind| kind["kind"].is_null())
    });
    normal.filter_map(|dependency| dependency["pkg"].as_str()).map(str::to_owned).collect()
}

fn purl(package: &Value) -> String {
    let field = |name: &str| package[name].as_str().unwrap_or_default();
    format!("pkg:cargo/{}@{}", field("name"), field("version"))
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Value {
    let field = |name: &str| package[name].as_str().unwrap_or_default().to_owned();
    let purl = purl(package);
    let mut component = json!({
        "type": "library", "bom-ref": purl, "name": field("name"), "version": field("version"), "purl": purl,
    });
    let fields = component.as_object_mut();
    let Some(fields) = fields else { return Value::Null };
    if let Some(license) = package["license"].as_str() {
        fields.insert("licenses".to_owned(), json!([{"expression": license.replace('/', " OR ")}]));
    }
    if let Some(checksum) = checksums.get(&(field("name"), field("version"))) {
        fields.insert("hashes".to_owned(), json!([{"alg": "SHA-256", "content": checksum}]));
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_in_is_listed_with_licence_and_checksum() {
        let package = |name: &str, license: &str| json!({"id": name, "name": name, "version": "1.0.0", "license": license});
        let needs = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("app", "MIT"), package("lib", "MIT/Apache-2.0"), package("tester", "MIT"), package("deep", "BSD-3-Clause")],
            "resolve": {"nodes": [
                {"id": "app", "deps": [needs("lib", Value::Null), needs("tester", "dev".into())]},
                {"id": "lib", "deps": [needs("deep", Value::Null)]},
                {"id": "deep", "deps": []},
            ]},
        });
        let lock = "[[package]]\nname = \"lib\"\nversion = \"1.0.0\"\nchecksum = \"abc\"\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n";
        let list = listed("app", "2", &metadata, &checksums(lock)).unwrap();
        let lib = json!({
            "type": "library", "bom-ref": "pkg:cargo/lib@1.0.0", "name": "lib", "version": "1.0.0",
            "purl": "pkg:cargo/lib@1.0.0", "licenses": [{"expression": "MIT OR Apache-2.0"}],
            "hashes": [{"alg": "SHA-256", "content": "abc"}],
        });
        let names: Vec<&str> =
            list["components"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["deep", "lib"]);
        assert_eq!(list["components"][1], lib);
        assert_eq!(list["metadata"]["component"]["version"], "2");
        assert_eq!(
            list["dependencies"],
            json!([
                {"ref": "pkg:cargo/app@1.0.0", "dependsOn": ["pkg:cargo/lib@1.0.0"]},
                {"ref": "pkg:cargo/deep@1.0.0", "dependsOn": []},
                {"ref": "pkg:cargo/lib@1.0.0", "dependsOn": ["pkg:cargo/deep@1.0.0"]},
            ])
        );
    }
}
