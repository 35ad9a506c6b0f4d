//! An alert as a service shows it.

use vexil_analysis::AlertSeverity;

/// An alert about one Canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Name of the Canary.
    pub canary: String,
    /// Its namespace.
    pub namespace: String,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// The text.
    pub message: String,
    /// Details, in order.
    pub fields: Vec<Field>,
    /// The same for each attempt to deliver this alert, so that a receiver can drop a repeat.
    pub key: String,
}

/// A detail of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Alert {
    /// An alert without fields and key.
    pub fn new(canary: &str, namespace: &str, severity: AlertSeverity, message: &str) -> Self {
        Alert {
            canary: canary.to_owned(),
            namespace: namespace.to_owned(),
            severity,
            message: message.to_owned(),
            fields: Vec::new(),
            key: String::new(),
        }
    }

    /// Adds a field.
    #[must_use]
    pub fn with_field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push(Field { name: name.to_owned(), value: value.into() });
        self
    }

    /// `podinfo.test`, the Canary.
    pub fn subject(&self) -> String {
        format!("{}.{}", self.canary, self.namespace)
    }

    /// One of two values: the first, or the second if the severity is error. Services have no third colour, as in
    /// Flagger.
    pub fn colour<'a>(&self, normal: &'a str, error: &'a str) -> &'a str {
        if self.severity == AlertSeverity::Error { error } else { normal }
    }
}
