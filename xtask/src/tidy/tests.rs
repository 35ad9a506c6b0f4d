//! The tree is tidy, and each rule sees what it is meant to see.

use vexil_launcher::root;

use super::{bans, finding::Finding, findings, idioms, layers, manifest, shape, split::split, tree::Source};

#[test]
fn the_tree_is_tidy() {
    let found = findings(&root()).expect("the tree can be read");
    let broken: Vec<String> = found.iter().map(Finding::to_string).collect();
    assert!(broken.is_empty(), "{} rules broken:\n{}", broken.len(), broken.join("\n"));
}

/// Which rules a source at `path` breaks, as `rule:line`.
#[track_caller]
fn check(path: &str, text: &str, expect: &[&str]) {
    let source = Source::parse(path, text);
    let mut found = Vec::new();
    shape::check(&source, &mut found);
    bans::check(&source, &mut found);
    idioms::check(&source, &mut found);
    layers::check_uses(&source, &mut found);
    found.sort();
    found.dedup();
    let listed: Vec<String> = found.iter().map(|f| format!("{}:{}", f.rule.name, f.line)).collect();
    assert_eq!(listed, expect, "{path}: {text}");
}

#[test]
fn files_have_a_reason_and_a_size() {
    check("crates/kube/src/a.rs", "fn a() {}\n", &["header:1"]);
    check("crates/kube/src/a.rs", &format!("//! A.\n// {}\n", "x".repeat(120)), &["long-line:2"]);
    let data = format!("//! A.\nconst A: &str = \"{}\";\n", "x".repeat(120));
    check("crates/kube/src/a.rs", &data, &["long-line:2"]);
    check("crates/kube/src/a/tests.rs", &data, &[]);
    check("crates/kube/src/a.rs", &format!("//! A.\n{}", "\n".repeat(300)), &["long-file:301"]);
    check("crates/kube/src/a.rs", "//! A.\n// TODO later\n", &["later:2"]);
    check("crates/kube/src/a.rs", "//! A.\nconst A: &str = \"TODO\";\n", &[]);
    check("crates/kube/src/lib.rs", "//! A.\nmod a;\npub use a::B;\nfn a() {}\n", &["lib-contents:4"]);
}

#[test]
fn banned_words_are_found_where_they_are_banned() {
    let clock = "//! A.\nfn a() { let _ = std::time::Instant::now(); }\n";
    check("crates/metrics/src/a.rs", clock, &["clock:2"]);
    check("crates/controller/src/a.rs", clock, &[]);
    check("crates/testbed-cluster/src/a.rs", clock, &["clock:2"]);
    check("crates/testbed-cluster/src/a.rs", "//! A.\nuse std::time::{Duration, Instant};\n", &["clock:2"]);
    check("crates/analysis/src/a.rs", "//! A.\nfn a(_: f64) {}\n", &["float:2"]);
    check("crates/analysis/src/a.rs", "//! A f64.\n// f64\nconst A: &str = \"f64\";\n", &[]);
    check("crates/routing-kuma/src/a.rs", "//! A.\nasync fn a() {}\n", &["pure:2"]);
    check("crates/webhook/src/a.rs", "//! A.\nuse kube::{Api, Client};\n", &["client:2"]);
    check("crates/controller/src/a.rs", "//! A.\nfn a() { tokio::spawn(b()); }\n", &["spawn:2"]);
    check("crates/controller/src/operator.rs", "//! A.\nfn a() { tokio::spawn(b()); }\n", &[]);
    check("crates/kube/src/a.rs", "//! A.\nfn a() { unreachable!() }\n", &["panic:2"]);
}

#[test]
fn tests_are_told_from_the_rest() {
    let spawn = "fn a() { tokio::spawn(b()); }\n";
    let module = format!("//! A.\nfn a() {{}}\n#[cfg(test)]\nmod tests {{\n    {spawn}}}\n{spawn}");
    check("crates/kube/src/a.rs", &module, &["spawn:7"]);
    let any = format!("//! A.\n#[cfg(any(test, feature = \"laws\"))]\nmod tests {{\n    {spawn}}}\n");
    check("crates/kube/src/a.rs", &any, &[]);
    check("crates/kube/src/a/tests.rs", &format!("//! A.\n{spawn}"), &[]);
    check("crates/kube/src/a.rs", &format!("//! A.\n#[cfg(not(test))]\n{spawn}"), &["spawn:3"]);
}

#[test]
fn idioms_are_seen_over_lines() {
    check("bins/vexil/src/a.rs", "//! A.\nasync fn a() { select! {\n biased; a = b => {} } }\n", &[]);
    check("bins/vexil/src/a.rs", "//! A.\nasync fn a() { select! { a = b => {} } }\n", &["biased:2"]);
    check("bins/vexil/src/a.rs", "//! A.\nfn a(t: &str) -> &str { &t[1..] }\n", &["slicing:2"]);
    check("bins/vexil/src/a.rs", "//! A.\nfn a([b, ..]: [u8; 2]) { if let [c, ..] = d {} }\n", &[]);
}

#[test]
fn names_of_providers_are_matched_in_one_place() {
    let arm = "//! A.\nfn a(b: &str) { match b { \"traefik\" => c(), _ => {} } }\n";
    check("crates/controller/src/a.rs", arm, &["provider-name:2"]);
    check("bins/vexil/src/wiring.rs", arm, &[]);
    check("crates/routing-traefik/src/a.rs", arm, &[]);
    check("crates/controller/src/a.rs", "//! A.\nfn a() -> &'static str { \"istio\" }\n", &[]);
    let equals = "//! A.\nfn a() -> bool { b == \"smi:v1alpha1\" }\n";
    check("crates/controller/src/a.rs", equals, &["provider-name:2"]);
}

#[test]
fn layers_hold_in_sources_and_in_manifests() {
    check("crates/routing-kuma/src/a.rs", "//! A.\nuse vexil_kube::Cluster;\n", &["layer:2"]);
    check("crates/routing-kuma/src/a.rs", "//! A.\nuse vexil_routing::Router;\n", &[]);
    check("crates/routing-kuma/src/a.rs", "//! A.\nuse vexil_routing_traefik::Traefik;\n", &["layer:2"]);
    check("crates/kube/src/tests.rs", "//! A.\nuse vexil_testbed_apiserver::Clock;\n", &[]);
    let text = "[dependencies]\nvexil-kube.workspace = true\nreqwest.workspace = true\nbytes = \"1\"\n\
                [lints]\nworkspace = true\n";
    let manifest = manifest::Manifest::parse("crates/webhook/Cargo.toml", text);
    let mut found = Vec::new();
    layers::check_manifest(&manifest, &mut found);
    manifest::check(&manifest, &mut found);
    found.retain(|finding| !["inherits", "publish"].contains(&finding.rule.name));
    let listed: Vec<String> = found.iter().map(|f| format!("{}:{}", f.rule.name, f.line)).collect();
    assert_eq!(listed, ["layer:2", "dependency:3", "version:4", "sorted:4"]);
}

#[test]
fn sources_are_split_into_code_comments_and_literals() {
    let check = |source: &str, code: &str, literals: &[&str]| {
        let split = split(source);
        assert_eq!(split.code, code, "{source}");
        assert_eq!(
            split.literals.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(),
            literals,
            "{source}"
        );
        assert_eq!(split.comments.chars().count(), source.chars().count(), "{source}");
    };
    check("a // b", "a     ", &[]);
    check("a /* b /* c */ d */ e", "a                   e", &[]);
    check(r#"a("b\"c")d"#, r#"a("    ")d"#, &[r#"b\"c"#]);
    check(r##"a(r#"b"c"#)d"##, r##"a(r#"   "#)d"##, &["b\"c"]);
    check("f::<'a>('\"', '\\'', b'x')", "f::<'a>(   ,     , b   )", &[]);
    check("let r#type = 1;", "let r#type = 1;", &[]);
}
