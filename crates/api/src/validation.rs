//! Validation of a Canary: all defects at once, each with the path of its field.
//!
//! [`parse`] converts an object into the types, [`validate`] checks them. Both are pure; what only the operator knows
//! (its providers and what they support) is passed in the [`ValidationContext`].

mod analysis;
mod metrics;
mod names;
mod others;
mod parse;
mod references;
mod scaler;
mod summary;
mod target;
mod webhooks;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::{Analysis, Canary, CanarySpec, Capabilities, Feature};

pub use names::is_dns_name;
pub use parse::{parse, parse_alert_provider, parse_metric_template};
pub use summary::summary;

/// An error in a manifest. The Canary is not processed until it is corrected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Defect {
    /// Path of the field: `spec.analysis.metrics[0].name`.
    pub path: String,
    /// What is wrong with the field.
    pub message: String,
}

/// A warning about a manifest. The Canary is processed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Remark {
    /// Path of the field.
    pub path: String,
    /// The text of the warning.
    pub message: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// What the operator supports; a Canary is checked against it.
#[derive(Clone, Debug, Default)]
pub struct ValidationContext<'a> {
    /// The default provider (flag `-mesh-provider`).
    pub default_provider: &'a str,
    /// All providers with their capabilities, for messages about a provider that does not exist or lacks a feature.
    pub known_providers: &'a [(&'a str, Capabilities)],
    /// The capabilities of this Canary's provider; `None` when it is unknown.
    pub router: Option<Capabilities>,
    /// Whether references to other namespaces are forbidden (`-no-cross-namespace-refs`).
    pub no_cross_namespace_refs: bool,
    /// Kinds of targets that the operator supports, besides Flagger's.
    pub target_kinds: &'a [&'a str],
    /// Kinds of autoscalers that the operator supports, besides Flagger's.
    pub scaler_kinds: &'a [&'a str],
}

/// The names of Flagger's kinds and of those that the operator adds, for a message.
fn known_kinds(flaggers: &[&str], added: &[&str]) -> String {
    let added = added.iter().filter(|kind| !flaggers.contains(kind));
    flaggers.iter().chain(added).copied().collect::<Vec<_>>().join(", ")
}

/// The result of a validation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validation {
    /// Errors, in the order in which Flagger reports them.
    pub defects: Vec<Defect>,
    /// Warnings.
    pub remarks: Vec<Remark>,
}

impl Validation {
    /// Whether the Canary can be processed.
    pub fn is_ok(&self) -> bool {
        self.defects.is_empty()
    }

    fn defect(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.defects.push(Defect { path: path.into(), message: message.into() });
    }

    fn remark(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.remarks.push(Remark { path: path.into(), message: message.into() });
    }
}

/// Validates a Canary: Flagger's rules, and what the schema cannot express.
pub fn validate(canary: &Canary, context: &ValidationContext<'_>) -> Validation {
    let subject = Subject {
        spec: &canary.spec,
        namespace: canary.metadata.namespace.as_deref().unwrap_or_default(),
        context,
    };
    let mut found = Validation::default();
    for rules in RULES {
        rules(&subject, &mut found);
    }
    found
}

/// A group of rules.
type Rules = fn(&Subject<'_>, &mut Validation);

/// All groups, in the order in which their defects are reported.
const RULES: [Rules; 7] = [
    target::check,
    references::check,
    scaler::check,
    analysis::check,
    metrics::check,
    webhooks::check,
    names::check,
];

/// What is validated.
struct Subject<'a> {
    spec: &'a CanarySpec,
    namespace: &'a str,
    context: &'a ValidationContext<'a>,
}

impl<'a> Subject<'a> {
    /// The analysis and its path.
    fn analysis(&self) -> Option<(String, &'a Analysis)> {
        let path = format!("spec.{}", self.spec.analysis_field());
        self.spec.analysis().map(|analysis| (path, analysis))
    }

    /// Name of the effective provider.
    fn provider(&self) -> &'a str {
        self.spec.provider().unwrap_or(self.context.default_provider)
    }

    /// The capabilities of the provider. An unknown provider is a defect of its own, so it counts as capable of
    /// everything.
    fn router(&self) -> Capabilities {
        self.context.router.unwrap_or(Capabilities {
            weights: true,
            matches: true,
            mirror: true,
            affinity: true,
            knative: self.is_knative(),
            needs_port: false,
        })
    }

    /// That the provider lacks a feature, and which providers have it.
    fn unsupported(&self, feature: Feature) -> String {
        let having = self.context.known_providers.iter().filter(|(_, can)| can.has(feature));
        let having: Vec<_> = having.map(|(name, _)| *name).collect();
        let instead = match having.as_slice() {
            [] => "no provider of this version does".to_owned(),
            [one] => format!("provider {one} does"),
            several => format!("providers {} do", several.join(", ")),
        };
        format!("provider {} does not support {feature}; {instead}", self.provider())
    }

    /// Whether the target is a Knative Service.
    fn is_knative(&self) -> bool {
        self.spec.target_ref.is_knative()
    }
}
