//! Schema rules of the MetricTemplate and the AlertProvider: required fields, enums, columns.

use serde_json::{Value, json};

use super::column;
use super::rule::{CrdError, apply, cel, one_of, required, set};
use super::schema::object;
use crate::limits::{self, bounded};
use crate::metric_template::MetricTemplateStatus;
use crate::{AlertProviderSpec, MetricTemplateSpec};

/// The printer column of the MetricTemplate.
pub(super) fn metric_template_columns() -> Value {
    json!([column("Provider", "string", ".spec.provider.type", 0)])
}

/// The schema of the MetricTemplate.
pub(super) fn metric_template_schema() -> Result<Value, CrdError> {
    let bare = object::<MetricTemplateSpec, MetricTemplateStatus>(
        "MetricTemplate is a query template for metric checks, and the metrics provider that answers it.",
    );
    let types = [
        "prometheus",
        "influxdb",
        "datadog",
        "externalmetrics",
        "stackdriver",
        "cloudwatch",
        "newrelic",
        "graphite",
        "dynatrace",
        "keptn",
        "splunk",
    ];
    let rules = vec![
        set("spec", required(&["provider", "query"])),
        set("spec.provider", required(&["type"])),
        set("spec.provider.type", one_of(&types)),
        set("spec.provider.secretRef", required(&["name"])),
        set("status.conditions[]", required(&["type", "status", "reason"])),
    ];
    apply(bounded(bare, &[limits::TEMPLATE.to_vec()]), rules)
}

/// The printer column of the AlertProvider.
pub(super) fn alert_provider_columns() -> Value {
    json!([column("Type", "string", ".spec.type", 0)])
}

/// The schema of the AlertProvider.
pub(super) fn alert_provider_schema() -> Result<Value, CrdError> {
    let bare = object::<AlertProviderSpec, MetricTemplateStatus>(
        "AlertProvider is a service that receives alerts about rollouts.",
    );
    let rules = vec![
        set("spec", required(&["type"])),
        set(
            "spec",
            cel(
                "has(self.address) != has(self.secretRef)",
                "an alert provider needs either address or secretRef, not both",
            ),
        ),
        set("spec.type", one_of(&["slack", "msteams", "discord", "rocket", "gchat"])),
        set("spec.secretRef", required(&["name"])),
        set("status.conditions[]", required(&["type", "status", "reason"])),
    ];
    apply(bounded(bare, &[limits::PROVIDER.to_vec()]), rules)
}
