//! The built-in metric queries of a provider, as data.

/// The queries behind the metrics `request-success-rate` and `request-duration`, for the time series of one product.
///
/// They are PromQL with words in braces ([`QuerySet::WORDS`]): `{{ name }}` is that of the Canary, `{{ service }}`
/// the apex. Line breaks and indentation have no meaning.
#[derive(Debug, PartialEq, Eq)]
pub struct QuerySet {
    /// The share of requests to the canary that did not fail, in percent.
    pub success_rate: &'static str,
    /// The 99th percentile of the duration of requests to the canary.
    pub duration: &'static str,
    /// The unit of `duration`.
    pub duration_unit: DurationUnit,
    /// How the labels of the series have the names of objects.
    pub names: LabelNames,
}

impl QuerySet {
    /// The words that its queries may contain in braces.
    pub const WORDS: [&str; 7] = ["name", "namespace", "target", "service", "ingress", "route", "interval"];
}

/// How the labels of a product's series have the names of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelNames {
    /// As they are.
    Unchanged,
    /// With an underscore for every character that is no letter, digit or underscore.
    Identifiers,
}

/// The unit of the value of a duration query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationUnit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

impl DurationUnit {
    /// Milliseconds per unit.
    pub const fn in_ms(self) -> f64 {
        match self {
            DurationUnit::Milliseconds => 1.0,
            DurationUnit::Seconds => 1_000.0,
        }
    }
}
