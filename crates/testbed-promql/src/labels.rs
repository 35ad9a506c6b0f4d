//! Label sets: what distinguishes series.

use std::collections::BTreeMap;
use std::fmt;

/// The label that holds a series' metric name.
pub const METRIC_NAME: &str = "__name__";

/// A sorted set of label names and values. A label with an empty value is the same as no label at all (Prometheus data
/// model), so none is ever stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Labels from pairs; a later pair replaces an earlier one of the same name.
    pub fn new<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        pairs.into_iter().fold(Self::default(), |labels, (name, value)| labels.with(name, value))
    }

    /// Labels of the metric `name`.
    pub fn named<N: Into<String>, V: Into<String>>(
        name: &str,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self::new(pairs).with(METRIC_NAME, name)
    }

    /// The same labels with one set, or removed when `value` is empty.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        if value.is_empty() {
            self.0.remove(&name);
        } else {
            self.0.insert(name, value);
        }
        self
    }

    /// The value of a label, empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Name and value of every label, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Only the labels in `names`.
    #[must_use]
    pub fn only(&self, names: &[String]) -> Self {
        Self(self.0.iter().filter(|(name, _)| names.contains(name)).map(owned).collect())
    }

    /// All labels but those in `names`.
    #[must_use]
    pub fn except(&self, names: &[String]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(name)).map(owned).collect())
    }

    /// All labels but the metric name: what is left once a value was computed and is no longer that metric.
    #[must_use]
    pub fn nameless(mut self) -> Self {
        self.0.remove(METRIC_NAME);
        self
    }
}

fn owned((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

/// `name{a="b"}`, as in the exposition format and in error messages.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.get(METRIC_NAME);
        f.write_str(name)?;
        let rest: Vec<String> = self
            .iter()
            .filter(|(label, _)| *label != METRIC_NAME)
            .map(|(label, value)| format!("{label}=\"{}\"", escape(value)))
            .collect();
        if rest.is_empty() && !name.is_empty() {
            return Ok(());
        }
        write!(f, "{{{}}}", rest.join(","))
    }
}

/// A label value as it is written between quotes.
pub fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
