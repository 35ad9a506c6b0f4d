//! Queries as users write them, and as they are asked about the primary.

use super::*;

fn check(target: &str, query: &str, expect: &str) {
    let named = Named { target, apex: target, namespace: "test" };
    assert_eq!(for_primary(query, named, Values::Quoted), expect, "{target} in {query}");
}

fn check_bare(target: &str, query: &str, expect: &str) {
    let named = Named { target, apex: target, namespace: "test" };
    assert_eq!(for_primary(query, named, Values::Bare), expect, "{target} in {query}");
}

#[test]
fn every_name_of_the_target_becomes_the_primarys_and_none_is_doubled() {
    check("podinfo", r#"sum(rate(r{app="podinfo"}[2m]))"#, r#"sum(rate(r{app="podinfo-primary"}[2m]))"#);
    check("podinfo", r#"r{app="podinfo-canary"}"#, r#"r{app="podinfo-primary"}"#);
    check(
        "podinfo",
        r#"a{app="podinfo"}/b{app="podinfo-canary"}"#,
        r#"a{app="podinfo-primary"}/b{app="podinfo-primary"}"#,
    );
    check("podinfo", r#"r{app="podinfo-primary"}"#, r#"r{app="podinfo-primary"}"#);
    check("podinfo", r#"r{h="podinfo.test:9898"}"#, r#"r{h="podinfo-primary.test:9898"}"#);
    check("podinfo", r#"r{h="podinfo-canary.test"}"#, r#"r{h="podinfo-primary.test"}"#);
    check("podinfo", r#"r{a=~"(podinfo|x)"}"#, r#"r{a=~"(podinfo-primary|x)"}"#);
    check("podinfo", r#"r{a="test/podinfo"}"#, r#"r{a="test/podinfo-primary"}"#);
}

#[test]
fn a_pattern_for_the_targets_pods_becomes_one_for_the_primarys() {
    let check = |pattern: &str, expect: &str| {
        check("podinfo", &format!("r{{pod=~\"{pattern}\"}}"), &format!("r{{pod=~\"{expect}\"}}"));
    };
    check("podinfo-[a-z0-9]+-[a-z0-9]+", "podinfo-primary-[a-z0-9]+-[a-z0-9]+");
    check("podinfo-canary-[a-z0-9]+", "podinfo-primary-[a-z0-9]+");
    check("podinfo-.*", "podinfo-primary-.*");
    check("podinfo-\\\\d+", "podinfo-primary-\\\\d+");
    check("podinfo.*", "podinfo-primary.*");
    check("podinfo-", "podinfo-primary-");
    check("^podinfo$", "^podinfo-primary$");
}

#[test]
fn services_as_gateways_name_them_become_the_primarys() {
    let check = |value: &str, expect: &str| {
        check("podinfo", &format!("r{{s=~\"{value}\"}}"), &format!("r{{s=~\"{expect}\"}}"));
    };
    check("test-podinfo-canary-.*", "test-podinfo-primary-.*");
    check("test-podinfo-canary-80@kubernetescrd", "test-podinfo-primary-80@kubernetescrd");
    check("test-podinfo-canary-http@kubernetescrd", "test-podinfo-primary-http@kubernetescrd");
    check(
        "test-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd",
        "test-podinfo-primary-[0-9a-zA-Z-]+@kubernetescrd",
    );
    check("test-podinfo-80@kubernetescrd", "test-podinfo-primary-80@kubernetescrd");
    check("(test-podinfo-canary-80|x)@y", "(test-podinfo-primary-80|x)@y");
    check("podinfo-canary_test_svc_80", "podinfo-primary_test_svc_80");
    check("podinfo_test_svc_[0-9]+", "podinfo-primary_test_svc_[0-9]+");
    check("test_podinfo_80", "test_podinfo-primary_80");
    check("test_podinfo-canary_[0-9a-zA-Z-]+", "test_podinfo-primary_[0-9a-zA-Z-]+");
    check("test_podinfo_.*", "test_podinfo-primary_.*");
    check("test_podinfo", "test_podinfo-primary");
}

#[test]
fn services_that_are_not_named_after_the_target_are_known_by_their_canary() {
    let named = Named { target: "podinfo", apex: "shop", namespace: "test" };
    for (query, expect) in [
        ("r{s=\"test-shop-canary-80@kubernetescrd\"}", "r{s=\"test-shop-primary-80@kubernetescrd\"}"),
        ("r{s=\"shop-canary_test_svc_80\"}", "r{s=\"shop-primary_test_svc_80\"}"),
        ("r{s=\"shop-canary\", w=\"podinfo\"}", "r{s=\"shop-primary\", w=\"podinfo-primary\"}"),
        ("r{s=\"shop\"}", "r{s=\"shop\"}"),
        ("r{s=\"my-shop-canary\"}", "r{s=\"my-shop-canary\"}"),
    ] {
        assert_eq!(for_primary(query, named, Values::Quoted), expect);
    }
}

#[test]
fn services_of_others_and_of_other_namespaces_stay() {
    for other in [
        "test-podinfo",
        "test-podinfo-canary",
        "test-podinfo-[a-z0-9]+",
        "test-podinfo-0",
        "prod-podinfo-canary-80@kubernetescrd",
        "a-test-podinfo-canary-80",
        "test-podinfo-web-80@kubernetescrd",
        "test-podinfo-canary-web-80@kubernetescrd",
        "podinfo_prod_svc_80",
        "my-podinfo_test_svc_80",
        "prod_podinfo_80",
        "test_my-podinfo_80",
        "test_podinfo-web_80",
        "test_podinfo-podinfo-canary_.+x",
        "test-podinfo-primary-80@kubernetescrd",
        "podinfo-primary_test_svc_80",
        "test_podinfo-primary_80",
    ] {
        let query = format!("r{{s=~\"{other}\"}}");
        check("podinfo", &query, &query);
    }
}

#[test]
fn a_name_that_occurs_in_any_form_is_mentioned() {
    let named = Named { target: "podinfo", apex: "shop", namespace: "test" };
    for query in
        ["podinfo", "r{route=~\"test_x-podinfo-canary_.+\"}", "podinfo_hits", "podinfo-primary/podinfo"]
    {
        assert!(mentions(query, named), "{query}");
    }
    assert!(mentions("shop-canary", named));
    for query in ["", "r{app=\"podinfo-primary\"}", "up", "r{app=\"shop\"}", "shop-primary"] {
        assert!(!mentions(query, named), "{query}");
    }
}

#[test]
fn names_of_others_and_words_outside_of_quotes_stay() {
    check("app", r#"sum(app_up{app="x"}) by (app)"#, r#"sum(app_up{app="x"}) by (app)"#);
    check("app", r#"r{app="app"}"#, r#"r{app="app-primary"}"#);
    check("podinfo", "sum(podinfo)", "sum(podinfo)");
    for other in ["my-podinfo", "mypodinfo", "podinfos", "podinfo-frontend", "podinfo_x", "podinfo-canary2"] {
        let query = format!("r{{app=\"{other}\"}}");
        check("podinfo", &query, &query);
    }
    check("podinfo", "", "");
    check("", r#"r{a="b"}"#, r#"r{a="b"}"#);
}

#[test]
fn quotes_are_those_of_the_usual_languages() {
    check("podinfo", "select 1 where app = 'podinfo'", "select 1 where app = 'podinfo-primary'");
    check("podinfo", "r{a=`podinfo`}", "r{a=`podinfo-primary`}");
    check("podinfo", r#"r{a="x\"podinfo"} + podinfo"#, r#"r{a="x\"podinfo-primary"} + podinfo"#);
    check("podinfo", r#"r{a=`x\`} + podinfo"#, r#"r{a=`x\`} + podinfo"#);
    check("podinfo", r#"r{a="it's podinfo"} podinfo"#, r#"r{a="it's podinfo-primary"} podinfo"#);
    check("podinfo", r#"r{a="podinfo"#, r#"r{a="podinfo-primary"#);
}

#[test]
fn a_language_without_quotes_has_keys_before_colons() {
    check_bare("podinfo", "sum:hits{service:podinfo,x:y}", "sum:hits{service:podinfo-primary,x:y}");
    check_bare("app", "sum:hits{app:app}", "sum:hits{app:app-primary}");
    check_bare("podinfo", "hosts.podinfo-canary.count", "hosts.podinfo-primary.count");
    check_bare("podinfo", "hosts.podinfo.count", "hosts.podinfo-primary.count");
}
