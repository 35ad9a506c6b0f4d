//! Templates as users write them, each with the text that Go makes of it.

use std::collections::BTreeMap;

use vexil_api::{CanarySpec, CanaryView, Metric, TargetRef};
use vexil_object::Owner;

use super::*;
use crate::Subject;

fn rendered(text: &str, interval: Option<&str>) -> Result<String, String> {
    let spec = CanarySpec {
        target_ref: TargetRef { name: "podinfo".to_owned(), ..TargetRef::default() },
        route_ref: Some(TargetRef { name: "rt".to_owned(), ..TargetRef::default() }),
        service: vexil_api::CanaryService { name: Some("svc".to_owned()), ..Default::default() },
        ..CanarySpec::default()
    };
    let owner = Owner { name: "cn".to_owned(), uid: String::new() };
    let subject = Subject {
        view: CanaryView::new(&owner, "test", &spec),
        provider: "traefik",
        route: None,
        queries: None,
        metrics_server: "",
        catalog: &crate::MetricCatalog::default(),
    };
    let metric = Metric {
        interval: interval.map(str::to_owned),
        template_variables: BTreeMap::from([
            ("a".to_owned(), "<&\"'=>".to_owned()),
            ("my-key".to_owned(), "mine".to_owned()),
            ("big".to_owned(), "x".repeat(40_000)),
        ]),
        ..Metric::default()
    };
    let context = TemplateContext::of(&subject, &metric).map_err(|e| e.to_string())?;
    Template::parse(text).and_then(|t| t.render(&context)).map_err(|e| e.to_string())
}

#[track_caller]
fn check(text: &str, expect: &str) {
    assert_eq!(rendered(text, None).as_deref(), Ok(expect), "{text}");
}

#[track_caller]
fn fails(text: &str, expect: &str) {
    assert_eq!(rendered(text, None), Err(expect.to_owned()), "{text}");
}

#[test]
fn words_stand_for_the_canary() {
    check("{{ name }} {{ namespace }} {{ target }} {{ service }}", "cn test podinfo svc");
    check("{{ ingress }} {{ route }} {{ interval }}", "podinfo rt 1m");
    check("{{target}}", "podinfo");
    check("{{\n\ttarget\n}}", "podinfo");
    check(r#"x{b="{{ namespace }}"}[{{ interval }}]"#, r#"x{b="test"}[1m]"#);
    check(r#"e=~"{{ namespace }}_{{ target }}""#, r#"e=~"test_podinfo""#);
    check("{service:{{ service }}}", "{service:svc}");
    check("{a:{{ target }},b:{{ service }}}", "{a:podinfo,b:svc}");
    check("a }} b { c } $x %s", "a }} b { c } $x %s");
    check("", "");
    check(" \n", " \n");
}

#[test]
fn text_between_actions_is_left_alone() {
    check(r"\{{ target }}", r"\podinfo");
    check(r"\\{{ target }}", r"\\podinfo");
    check(r"\\\{{ target }}.\d+\", r"\\\podinfo.\d+\");
    check("sum:m{x:y}.as_count()\t&<>'\"`", "sum:m{x:y}.as_count()\t&<>'\"`");
}

#[test]
fn variables_are_pasted_as_they_are() {
    check("{{ variables.a }}", "<&\"'=>");
    check("{{variables.my-key}}", "mine");
    check(r#"{{ index variables "my-key" }}"#, "mine");
    check(r#"[{{ index variables "nope" }}]"#, "[]");
    fails(
        "{{ variables.nope }}",
        "template excution failed: template: tmpl:1: map has no entry for key \"nope\"",
    );
    fails(
        "a\nb {{ variables.a.b }}",
        "template excution failed: template: tmpl:2: map has no entry for key \"a.b\"",
    );
}

#[test]
fn trim_markers_and_comments_work_as_in_go() {
    check("a \n {{- target -}} \n x", "apodinfox");
    check("a {{- target }} x", "apodinfo x");
    check("a {{ target -}} x", "a podinfox");
    check("{ {{- target -}} }", "{podinfo}");
    check("a {{/* why */}} b", "a  b");
    check("a {{- /* why */ -}} b", "ab");
    check("{{/* why */}}{{ target }}", "podinfo");
}

#[test]
fn everything_else_is_an_error_that_names_it() {
    let parse = |problem: &str| format!("template parsing failed: template: tmpl:1: {problem}");
    let odd = |what: &str| {
        parse(&format!("unexpected {what:?} in command, only names, variables.<key> and index are supported"))
    };
    let unknown = |name: &str| {
        let words = "name, namespace, target, service, ingress, route, interval, variables and index";
        parse(&format!("function {name:?} not defined; there are {words}"))
    };
    fails("{{ nope }}", &unknown("nope"));
    fails("{{ Target }}", &unknown("Target"));
    fails("{{ this }}", &unknown("this"));
    fails("{{ log target }}", &unknown("log"));
    fails("{{ lookup variables \"a\" }}", &unknown("lookup"));
    fails("{{ if target }}x{{ end }}", &unknown("if"));
    fails(r#"{{ printf "%s-x" target }}"#, &unknown("printf"));
    fails("{{ variables }}", &parse("variables needs a key, as in variables.<key>"));
    fails("{{ target", &parse("unclosed action"));
    fails("{{}}", &parse("missing value for command"));
    fails("{{ - }}", &odd("-"));
    for what in [
        "#each variables",
        "/each",
        "^",
        "> partial",
        "*inline",
        "#*inline \"x\"",
        "& target",
        "! comment",
        "~target~",
        ".target",
        "$x := target",
        "\"text\"",
        "@root",
        "../target",
        "target | printf",
        "index (lookup variables \"a\") \"b\"",
        "{ service }",
    ] {
        fails(&format!("{{{{ {what} }}}}"), &odd(what));
    }
    assert!(rendered("sum:m{{{ service }}}", None).is_err());
    assert!(rendered("{{{{raw}}}} x {{{{/raw}}}}", None).is_err());
    fails(
        "{{ target target }}",
        "template excution failed: template: tmpl:1: \"target target\" has no value",
    );
    fails("{{ target.x }}", "template excution failed: template: tmpl:1: \"target.x\" has no value");
    fails(
        "{{ index variables }}",
        "template excution failed: template: tmpl:1: \"index variables\" has no value",
    );
    fails("{{ variables.my key }}", &parse("unexpected \"variables.my key\" in command"));
}

#[test]
fn no_template_takes_more_than_its_share() {
    assert!(
        rendered(&"x".repeat(70_000), None)
            .expect_err("limit")
            .contains("template is larger than 65536 bytes")
    );
    assert!(
        rendered(&"{{ target }}".repeat(2_000), None).expect_err("limit").contains("more than 1000 actions")
    );
    let big = "{{ variables.big }}{{ variables.big }}";
    assert!(rendered(big, None).expect_err("limit").contains("query is larger than 65536 bytes"));
    let deep = format!("{{{{ index {}", "[".repeat(60_000));
    assert!(rendered(&deep, None).expect_err("limit").contains("unclosed action"));
    let deep = format!("{{{{ index variables {} }}}}", "[".repeat(230));
    assert!(rendered(&deep, None).expect_err("limit").contains("in command"));
    let long = format!("{{{{ index variables {} }}}}", "[".repeat(300));
    assert!(rendered(&long, None).expect_err("limit").contains("action is longer than 256 bytes"));
}

#[test]
fn an_interval_cannot_change_what_a_query_means() {
    for (interval, expect) in [
        (None, Ok("1m")),
        (Some(""), Ok("1m")),
        (Some("30s"), Ok("30s")),
        (Some("1min"), Ok("1min")),
        (Some("1.5h"), Ok("1.5h")),
        (
            Some("1m]) or vector(1)"),
            Err(r#"metric interval "1m]) or vector(1)" may only hold letters, digits and points"#),
        ),
        (Some("1m\n"), Err(r#"metric interval "1m" may only hold letters, digits and points"#)),
    ] {
        assert_eq!(rendered("{{ interval }}", interval).as_deref().map_err(String::as_str), expect);
    }
}
