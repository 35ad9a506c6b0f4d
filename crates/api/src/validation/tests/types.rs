//! Fields of a wrong type, and objects that are no Canary.

use serde_json::{Value, json};

use super::{analysis, check, context, parse, validate};

#[test]
fn every_field_of_a_wrong_type_is_named_at_once() {
    check(
        json!({
            "provider": 7,
            "service": { "port": "80", "hosts": "a", "gatewayRefs": [{ "port": "x" }], "targetPort": [1] },
            "analysis": {
                "stepWeight": 5.5,
                "stepWeights": [1, "2"],
                "mirror": "yes",
                "metrics": [{ "name": "x", "thresholdRange": { "min": "99%" } }],
                "webhooks": [{ "metadata": { "count": 5 } }],
                "match": [{ "headers": { "x": "y" } }],
            },
        }),
        &[
            "analysis.match[0].headers.x: must be an object, not the text `y`",
            "analysis.metrics[0].thresholdRange.min: must be a number, not the text `99%`",
            "analysis.mirror: must be true or false, not the text `yes`",
            "analysis.stepWeight: must be a whole number, not 5.5",
            "analysis.stepWeights[1]: must be a whole number, not the text `2`",
            "analysis.webhooks[0].metadata.count: must be a text, not 5",
            "provider: must be a text, not 7",
            "service.gatewayRefs[0].port: must be a whole number, not the text `x`",
            "service.hosts: must be a list, not the text `a`",
            "service.port: must be a whole number, not the text `80`",
            "service.targetPort: must be a whole number or a text, not a list",
        ],
    );
    check(
        json!({ "service": { "targetPort": 1e12 } }),
        &["service.targetPort: must be a whole number or a text, not 1000000000000.0"],
    );
    check(json!({ "service": [] }), &["service: must be an object, not a list"]);
    check(json!({ "analysis": "none" }), &["analysis: must be an object, not the text `none`"]);
    check(
        analysis(json!({ "webhooks": { "name": "x" } })),
        &["analysis.webhooks: must be a list, not an object"],
    );
    check(
        analysis(json!({ "threshold": 1e300 })),
        &["analysis.threshold: must be a whole number, not 1e+300"],
    );
    check(
        analysis(json!({ "stepWeights": [null] })),
        &["analysis.stepWeights[0]: invalid type: null, expected a whole number"],
    );
}

#[track_caller]
fn check_object(object: Value, defects: &[&str]) {
    let found = parse(&object).expect_err("must not be read");
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), defects);
}

#[test]
fn an_object_that_is_no_canary_says_so() {
    check_object(json!(null), &["the object: must be an object, not null"]);
    check_object(json!([]), &["the object: must be an object, not a list"]);
    check_object(json!("canary"), &["the object: must be an object, not the text `canary`"]);
    check_object(json!({}), &["spec: is required"]);
    check_object(json!({ "spec": null }), &["spec: is required"]);
    check_object(json!({ "metadata": {}, "spec": 3 }), &["spec: must be an object, not 3"]);
    check_object(
        json!({ "metadata": { "name": 3 }, "spec": {} }),
        &["metadata.name: invalid type: integer `3`, expected a string"],
    );
    let status = |status: Value| json!({ "metadata": {}, "spec": {}, "status": status });
    check_object(
        status(json!({ "canaryWeight": "5", "outbox": { "entries": [{ "to": "x" }] } })),
        &[
            "status.canaryWeight: must be a whole number, not the text `5`",
            "status.outbox.entries[0].to: must be a list, not the text `x`",
        ],
    );
    check_object(status(json!({ "run": -1 })), &["status.run: invalid value: integer `-1`, expected u64"]);
    let found = parse(&status(json!({ "phase": "Dreaming" }))).expect_err("must not be read");
    assert_eq!(found[0].path, "status.phase");
    assert!(found[0].message.starts_with("unknown variant `Dreaming`, expected one of ``, `Initializing`"));
}

/// Calls `see` with the object once for each of its parts, that part replaced by `with`.
fn replace_each(object: &mut Value, at: &str, with: &Value, see: &mut dyn FnMut(&Value)) {
    let parts: Vec<String> = match object.pointer(at).unwrap() {
        Value::Object(fields) => fields.keys().map(|k| k.replace('~', "~0").replace('/', "~1")).collect(),
        Value::Array(elements) => (0..elements.len()).map(|i| i.to_string()).collect(),
        _ => Vec::new(),
    };
    for part in parts {
        replace_each(object, &format!("{at}/{part}"), with, see);
    }
    let kept = std::mem::replace(object.pointer_mut(at).unwrap(), with.clone());
    see(object);
    *object.pointer_mut(at).unwrap() = kept;
}

#[test]
fn no_value_in_any_field_panics() {
    let values =
        [json!(null), json!(-1), json!(3.5), json!(u64::MAX), json!(""), json!("é x"), json!([]), json!({})];
    let mut object = crate::crd::tests::largest("canaries", "Canary");
    for value in values {
        replace_each(&mut object, "", &value, &mut |changed| {
            if let Ok(canary) = parse(changed) {
                let spec = &canary.spec;
                let _ = (validate(&canary, &context()), spec.progress_deadline_ms(), spec.apex_name());
                let effective = |a: &crate::Analysis| (a.interval_ms(0), a.max_weight(), a.threshold());
                let _ = spec.analysis().map(effective);
            }
        });
    }
}
