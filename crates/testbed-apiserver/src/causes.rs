//! What is wrong with single fields, as `details.causes` of a Status lists it.

use serde_json::{Value, json};

/// One field that is wrong, as `details.causes` lists it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cause {
    /// Path of the field: `spec.replicas`.
    pub field: String,
    /// What is wrong with it.
    pub fault: Fault,
    /// The sentence after the kind of fault.
    pub detail: String,
}

/// The kinds of mistakes of `k8s.io/apimachinery/pkg/util/validation/field`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// A required value is missing.
    Required,
    /// A value (as JSON) is not acceptable.
    Invalid(Value),
    /// A value (as JSON) is not one of those allowed.
    NotSupported(Value),
    /// A value occurs twice.
    Duplicate(Value),
    /// A field names something that is not there.
    NotFound(Value),
    /// A field may not be there.
    Forbidden,
    /// A value (as JSON) has the wrong type; the sentence is the detail.
    Type(Value),
    /// More items or characters than allowed.
    TooMany(usize),
    /// A text that is too long.
    TooLong,
}

impl Cause {
    /// A mistake at `field`.
    pub fn new(field: impl Into<String>, fault: Fault, detail: impl Into<String>) -> Self {
        Cause { field: field.into(), fault, detail: detail.into() }
    }

    fn reason(&self) -> &'static str {
        match self.fault {
            Fault::Required => "FieldValueRequired",
            Fault::Invalid(_) => "FieldValueInvalid",
            Fault::NotSupported(_) => "FieldValueNotSupported",
            Fault::Duplicate(_) => "FieldValueDuplicate",
            Fault::NotFound(_) => "FieldValueNotFound",
            Fault::Forbidden => "FieldValueForbidden",
            Fault::Type(_) => "FieldValueTypeInvalid",
            Fault::TooMany(_) => "FieldValueTooMany",
            Fault::TooLong => "FieldValueTooLong",
        }
    }

    /// The kind of mistake and the detail.
    pub fn sentence(&self) -> String {
        let head = match &self.fault {
            Fault::Required => "Required value".to_owned(),
            Fault::Invalid(value) | Fault::Type(value) => format!("Invalid value: {}", shown(value)),
            Fault::NotSupported(value) => format!("Unsupported value: {}", shown(value)),
            Fault::Duplicate(value) => format!("Duplicate value: {}", shown(value)),
            Fault::NotFound(value) => format!("Not found: {}", shown(value)),
            Fault::Forbidden => "Forbidden".to_owned(),
            Fault::TooMany(count) => format!("Too many: {count}"),
            Fault::TooLong => "Too long".to_owned(),
        };
        if self.detail.is_empty() { head } else { format!("{head}: {}", self.detail) }
    }

    /// The field and the sentence about it.
    pub fn line(&self) -> String {
        format!("{}: {}", self.field, self.sentence())
    }

    /// The entry of `details.causes`.
    pub fn json(&self) -> Value {
        json!({"reason": self.reason(), "message": self.sentence(), "field": self.field})
    }
}

/// A value as the real server shows it in a sentence: a pointer or object as JSON, text quoted.
fn shown(value: &Value) -> String {
    value.to_string()
}
