//! Validation of MetricTemplates and AlertProviders: what their definitions require, and headers that can be sent. What
//! each kind of server or service needs is checked where it is used.

use http::{HeaderName, HeaderValue};

use super::Defect;
use crate::{AlertProviderSpec, MetricTemplateSpec, metric_template::SecretRef};

fn defect(path: &str, message: impl Into<String>) -> Defect {
    Defect { path: format!("spec.{path}"), message: message.into() }
}

fn required(path: &str, text: &str) -> Option<Defect> {
    text.trim().is_empty().then(|| defect(path, "is required"))
}

fn secret(path: &str, secret: Option<&SecretRef>) -> Option<Defect> {
    required(path, &secret?.name)
}

/// What is wrong with a MetricTemplate.
pub(super) fn metric_template(spec: &MetricTemplateSpec) -> Vec<Defect> {
    let provider = &spec.provider;
    let mut defects: Vec<Defect> = [
        required("provider.type", &provider.type_),
        secret("provider.secretRef.name", provider.secret_ref.as_ref()),
        required("query", &spec.query),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (name, values) in &provider.headers {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            defects.push(defect("provider.headers", format!("`{name}` is no name of a header")));
        } else if values.iter().any(|value| HeaderValue::from_str(value).is_err()) {
            // Values may be passwords and are not repeated.
            let path = format!("provider.headers[{name}]");
            defects.push(defect(&path, "has a value with characters that a header cannot have"));
        }
    }
    defects
}

/// What is wrong with an AlertProvider.
pub(super) fn alert_provider(spec: &AlertProviderSpec) -> Vec<Defect> {
    let secret_ref = spec.secret_ref.as_ref();
    let addressed =
        secret_ref.is_some() || spec.address.as_deref().is_some_and(|text| !text.trim().is_empty());
    let unaddressed =
        Defect { path: "spec".to_owned(), message: "needs either address or secretRef".to_owned() };
    [required("type", &spec.type_), secret("secretRef.name", secret_ref), (!addressed).then_some(unaddressed)]
        .into_iter()
        .flatten()
        .collect()
}
