//! Checks with a MetricTemplate: from its templateRef to the verdict, and what can be missing.

use vexil_object::{ObjectKey, Seen, kinds};

use super::*;

#[tokio::test]
async fn a_template_is_rendered_and_asked_with_its_secret() {
    let have = objects(Some(template("x{c=\"{{ variables.code }}\"}[{{ interval }}]\n")), secret());
    let server = says("5");
    let (verdicts, values) = judged(&server, &canary(json!({})), by_template(), &have).await;
    assert_eq!((verdicts, values), (vec![Verdict::Pass], vec![Some(5.0)]));
    let seen = server.seen.lock().expect("lock");
    assert_eq!(seen[0].headers[0].1.expose(), "Bearer MARKER");
    assert_eq!(seen[0].url.query_pairs().next().expect("query").1, "x{c=\"404\"}[1m] ");
}

async fn check_template(server: Server, have: Objects, expect: Verdict) {
    let (verdicts, _) = judged(&server, &canary(json!({})), by_template(), &have).await;
    assert!(!format!("{verdicts:?}").contains("MARKER"), "{verdicts:?}");
    assert_eq!(verdicts, [expect]);
}

#[tokio::test]
async fn a_template_that_leads_nowhere_says_at_which_step() {
    let lost = |text: &str| Verdict::Unavailable(text.to_owned());
    let fail = |text: &str| Verdict::Fail(text.to_owned());
    let good = || objects(Some(template("up")), secret());
    let provider = |block: Value| objects(Some(json!({"provider": block, "query": "up"})), secret());

    let text = "Metric template t.test error: metrictemplate.flagger.app \"t\" not found";
    check_template(says("1"), objects(None, None), lost(text)).await;
    let text = "Metric template t.test secret s error: secrets \"s\" not found";
    check_template(says("1"), objects(Some(template("up")), None), lost(text)).await;
    let text = "Metric template t.test error: spec.provider: must be an object, not the text `x`";
    check_template(says("1"), provider(json!("x")), lost(text)).await;
    let text = "Metric template t.test provider carbon error: metric provider type \"carbon\" is not supported by \
                this version";
    check_template(says("1"), provider(json!({"type": "carbon"})), lost(text)).await;
    let text = "Metric template t.test provider prometheus error: prometheus address  is not a valid URL";
    check_template(says("1"), provider(json!({"type": "prometheus"})), lost(text)).await;
    let text = "Metric template t.test provider prometheus error: prometheus credentials does not contain a username";
    check_template(says("1"), objects(Some(template("up")), Some(json!({}))), lost(text)).await;
    let text = "Metric template t.test query render error: template excution failed: template: tmpl:1: map has no \
                entry for key \"nope\"";
    check_template(says("1"), objects(Some(template("{{ variables.nope }}")), secret()), lost(text)).await;
    let text = "Metric query failed for errors: request failed: no answer from p: refused";
    check_template(down(), good(), lost(text)).await;
    let text = "Metric query failed for errors: error response: Status 401 Unauthorized: bad [hidden]";
    check_template(server(Ok(Reply::new(401, "bad MARKER"))), good(), lost(text)).await;
    let text = "Halt advancement no values found for custom metric: errors: no values found";
    check_template(says_nothing(), good(), fail(text)).await;
    check_template(says("NaN"), good(), fail(text)).await;
    check_template(says("6"), good(), fail("Halt cn.test advancement errors 6.00 > 5")).await;
    check_template(says("5"), good(), Verdict::Pass).await;
}

#[tokio::test]
async fn nothing_is_judged_on_objects_that_nobody_has_looked_at() {
    let (spec, metrics) = (canary(json!({})), [metric(by_template())]);
    let (one, keys) = (checks(&metrics)[0], objects(None, None));
    let [secret_key, template_key] = [kinds::SECRET, kinds::METRIC_TEMPLATE]
        .map(|kind| keys.iter().map(|(key, _)| key).find(|key| key.kind() == kind).expect("key").clone());

    let mut have = Objects::default();
    assert_eq!(needs(&subject(&spec), &one, &have), std::slice::from_ref(&template_key));
    assert_eq!(
        check(&at(&says("1")), &subject(&spec), &one, &have).await,
        Err(MissingObject(template_key.clone()))
    );
    have.insert(template_key, Seen::present(json!({"spec": template("up")})));
    assert_eq!(needs(&subject(&spec), &one, &have), std::slice::from_ref(&secret_key));
    assert_eq!(
        check(&at(&says("1")), &subject(&spec), &one, &have).await,
        Err(MissingObject(secret_key.clone()))
    );
    have.insert(secret_key, Seen::Absent);
    assert!(needs(&subject(&spec), &one, &have).is_empty());

    let builtin = [metric(success_rate())];
    assert!(needs(&subject(&spec), &checks(&builtin)[0], &Objects::default()).is_empty());
    let elsewhere = [metric(json!({"name": "x", "templateRef": {"name": "t", "namespace": "shared"}}))];
    let key = ObjectKey::new(kinds::METRIC_TEMPLATE, "shared", "t");
    assert_eq!(needs(&subject(&spec), &checks(&elsewhere)[0], &Objects::default()), [key]);
}

/// Who writes Canaries may use a template of another namespace, and gets its numbers. What its server says to the
/// other namespace's credentials would be more than that.
#[tokio::test]
async fn what_a_server_says_to_the_credentials_of_another_namespace_is_not_repeated() {
    let (spec, mut of) = (canary(json!({})), by_template());
    of["templateRef"] = json!({"name": "t", "namespace": "shared"});
    let keys = [kinds::METRIC_TEMPLATE, kinds::SECRET]
        .map(|kind| ObjectKey::new(kind, "shared", if kind == kinds::SECRET { "s" } else { "t" }));
    let [template_key, secret_key] = keys;
    let mut have = Objects::default();
    have.insert(template_key, Seen::present(json!({"spec": template("up")})));
    // The secret of that name in the Canary's own namespace is not the template's.
    have.insert(
        ObjectKey::new(kinds::SECRET, "test", "s"),
        Seen::present(json!({"data": {"token": "d3Jvbmc="}})),
    );
    assert_eq!(
        needs(&subject(&spec), &checks(&[metric(of.clone())])[0], &have),
        std::slice::from_ref(&secret_key)
    );
    have.insert(secret_key, Seen::present(secret().expect("secret")));
    let kept_back = "its text is not repeated here";
    for (reply, expect) in [
        (Reply::new(403, "inside"), format!("error response: Status 403 Forbidden: {kept_back}")),
        (
            Reply::new(200, r#"{"status":"error","errorType":"inside","error":"inside"}"#),
            format!("error response: {kept_back}"),
        ),
        (
            Reply::new(200, "inside"),
            format!("error unmarshaling result: it is no answer to a query, and {kept_back}"),
        ),
    ] {
        let server = server(Ok(reply));
        let (verdicts, _) = judged(&server, &spec, of.clone(), &have).await;
        assert_eq!(verdicts, [Verdict::Unavailable(format!("Metric query failed for errors: {expect}"))]);
        assert_eq!(server.seen.lock().expect("lock")[0].headers[0].1.expose(), "Bearer MARKER");
    }
}

/// An API server with an older CRD lets anything through.
#[tokio::test]
async fn a_template_beyond_its_limits_is_not_asked() {
    let long = objects(Some(json!({"provider": {"type": "prometheus"}, "query": "x".repeat(32_769)})), None);
    let text =
        "Metric template t.test error: spec.query: is 32769 characters long; at most 32768 are allowed";
    check_template(says("1"), long, Verdict::Unavailable(text.to_owned())).await;
}

#[tokio::test]
async fn a_template_can_name_a_kind_of_server_that_the_operator_has_added() {
    let fixed = |query: &str| objects(Some(json!({"provider": {"type": "fixed"}, "query": query})), None);
    check_template(down(), fixed("5"), Verdict::Pass).await;
    let text = "Halt cn.test advancement errors 6.00 > 5";
    check_template(down(), fixed("6"), Verdict::Fail(text.to_owned())).await;
}
