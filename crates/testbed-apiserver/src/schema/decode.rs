//! Reading an object into the shape of its kind and writing it back: unknown fields fall away, empty ones are not
//! written, and everything has the type that it must have.

use base64::{DecodeError, Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{
    quantity,
    types::{Presence, Shape, Type, find},
};

/// A value that has another type than its field. The text is the end of the sentence that the real server says.
pub(crate) type Mismatch = String;

/// What reading an object brought to light besides the object.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Paths of fields that the kind does not have.
    pub unknown: Vec<String>,
}

/// Reads `value` as a value of the type `name`.
///
/// # Errors
/// For the first value that has another type than its field.
pub(crate) fn read(name: &str, value: &Value, findings: &mut Findings) -> Result<Value, Mismatch> {
    let reader = Reader { holder: name, up: None, step: Step::Root };
    reader.shaped(&Shape::Type(name.to_owned()), value, findings)
}

/// Where a reader is: the type that holds the field, and the way to the field. The way is only written out for
/// sentences, since every field of every write is read.
#[derive(Clone, Copy)]
struct Reader<'a> {
    holder: &'a str,
    up: Option<&'a Reader<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Member(&'a str),
    Key(&'a str),
    Index(usize),
}

impl Reader<'_> {
    fn shaped(&self, shape: &Shape, value: &Value, findings: &mut Findings) -> Result<Value, Mismatch> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        match shape {
            Shape::Any => Ok(value.clone()),
            Shape::Type(name) => match find(name) {
                Some(typed) => self.typed(name, typed, value, findings),
                None => Ok(value.clone()),
            },
            Shape::List(inner, _) => self.list(inner, value, findings),
            Shape::Map(inner, _) => self.map(inner, value, findings),
            leaf => self.leaf(leaf, value),
        }
    }

    fn typed(
        &self,
        name: &str,
        typed: &Type,
        value: &Value,
        findings: &mut Findings,
    ) -> Result<Value, Mismatch> {
        let Value::Object(members) = value else {
            return Err(self.mismatch(value, &format!("v1.{name}")));
        };
        for unknown in members.keys().filter(|key| !typed.fields.contains_key(*key)) {
            findings.unknown.push(self.below(name, Step::Member(unknown)).path());
        }
        let mut read = Map::new();
        for (key, field) in &typed.fields {
            let reader = self.below(name, Step::Member(key));
            let given = members.get(key).unwrap_or(&Value::Null);
            let found = reader.shaped(&field.shape, given, findings)?;
            let found = match field.presence {
                Presence::Always if is_hollow(&field.shape, &found) => reader.zero(&field.shape)?,
                Presence::NonZero if is_zero(&field.shape, &found) => continue,
                Presence::Given if found.is_null() => continue,
                _ => found,
            };
            read.insert(key.clone(), found);
        }
        Ok(Value::Object(read))
    }

    fn list(&self, inner: &Shape, value: &Value, findings: &mut Findings) -> Result<Value, Mismatch> {
        let Value::Array(items) = value else {
            return Err(self.mismatch(value, &format!("[]{}", go_name(inner))));
        };
        let mut read = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let reader = self.below(self.holder, Step::Index(index));
            let found = reader.shaped(inner, item, findings)?;
            read.push(if found.is_null() { reader.zero(inner)? } else { found });
        }
        Ok(Value::Array(read))
    }

    fn map(&self, inner: &Shape, value: &Value, findings: &mut Findings) -> Result<Value, Mismatch> {
        let Value::Object(members) = value else {
            return Err(self.mismatch(value, &format!("map[string]{}", go_name(inner))));
        };
        let mut read = Map::new();
        for (key, item) in members {
            let reader = self.below(self.holder, Step::Key(key));
            let found = reader.shaped(inner, item, findings)?;
            read.insert(key.clone(), if found.is_null() { reader.zero(inner)? } else { found });
        }
        Ok(Value::Object(read))
    }

    fn leaf(&self, shape: &Shape, value: &Value) -> Result<Value, Mismatch> {
        let fits = match shape {
            Shape::Text => value.is_string(),
            Shape::Whole(32) => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            Shape::Whole(_) => value.is_i64(),
            Shape::Number => value.is_number(),
            Shape::Bool => value.is_boolean(),
            Shape::IntOrText => value.is_string() || value.is_i64(),
            Shape::Time(micros) => return self.time(value, *micros),
            Shape::Bytes => match STANDARD.decode(value.as_str().unwrap_or_default()) {
                Ok(_) => value.is_string(),
                Err(DecodeError::InvalidByte(place, _)) => {
                    return Err(format!("illegal base64 data at input byte {place}"));
                }
                Err(_) => return Err("illegal base64 data at input byte 0".to_owned()),
            },
            Shape::Quantity => {
                let text = match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let read = quantity::canonical(&text).ok_or_else(|| {
                    "quantities must match the regular expression \
                        '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                        .to_owned()
                })?;
                return Ok(json!(read));
            }
            _ => value.is_string(),
        };
        if fits { Ok(value.clone()) } else { Err(self.mismatch(value, &go_name(shape))) }
    }

    fn time(&self, value: &Value, micros: bool) -> Result<Value, Mismatch> {
        let Some(text) = value.as_str() else {
            return Err(self.mismatch(value, "string"));
        };
        let Ok(time) = text.parse::<jiff::Timestamp>() else {
            return Err(format!(
                "parsing time {value} as \"2006-01-02T15:04:05Z07:00\": cannot parse {value}"
            ));
        };
        if let Some(rest) = text.get(19..).filter(|rest| micros && !has_micros(rest)) {
            return Err(format!(
                "parsing time {value} as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"{rest}\" as \".000000\""
            ));
        }
        let format = if micros { "%Y-%m-%dT%H:%M:%S.%6fZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
        Ok(json!(time.strftime(format).to_string()))
    }

    /// What is written for a field that was not given and is always written.
    fn zero(&self, shape: &Shape) -> Result<Value, Mismatch> {
        Ok(match shape {
            Shape::Text | Shape::Bytes => json!(""),
            Shape::Whole(_) | Shape::Number | Shape::IntOrText => json!(0),
            Shape::Bool => json!(false),
            Shape::Quantity => json!("0"),
            Shape::Type(_) => return self.shaped(shape, &json!({}), &mut Findings::default()),
            Shape::Any | Shape::Time(_) | Shape::List(..) | Shape::Map(..) => Value::Null,
        })
    }

    fn below<'b>(&'b self, holder: &'b str, step: Step<'b>) -> Reader<'b> {
        Reader { holder, up: Some(self), step }
    }

    /// The way with keys of maps and indexes.
    fn path(&self) -> String {
        self.write(|step| match step {
            Step::Root => String::new(),
            Step::Member(name) | Step::Key(name) => format!(".{name}"),
            Step::Index(index) => format!("[{index}]"),
        })
    }

    /// The way of members only.
    fn plain(&self) -> String {
        self.write(|step| match step {
            Step::Member(name) => format!(".{name}"),
            Step::Root | Step::Key(_) | Step::Index(_) => String::new(),
        })
    }

    fn write(&self, shown: fn(Step<'_>) -> String) -> String {
        let mut steps = vec![shown(self.step)];
        let mut reader = self;
        while let Some(up) = reader.up {
            steps.push(shown(up.step));
            reader = up;
        }
        steps.reverse();
        let path = steps.concat();
        path.strip_prefix('.').unwrap_or(&path).to_owned()
    }

    fn mismatch(&self, value: &Value, wanted: &str) -> Mismatch {
        let have = match value {
            Value::String(_) => "string".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Number(_) if !wanted.starts_with("int") => "number".to_owned(),
            Value::Number(number) => format!("number {number}"),
            Value::Array(_) => "array".to_owned(),
            _ => "object".to_owned(),
        };
        let (holder, path) = (self.holder, self.plain());
        let wanted = if path.ends_with(".uid") && wanted == "string" { "types.UID" } else { wanted };
        match path.is_empty() {
            true => format!("json: cannot unmarshal {have} into Go value of type {wanted}"),
            false => {
                format!("json: cannot unmarshal {have} into Go struct field {holder}.{path} of type {wanted}")
            }
        }
    }
}

/// Whether a time goes on with a point and six digits, which is how the API wants microseconds.
fn has_micros(rest: &str) -> bool {
    let digits = rest.strip_prefix('.').unwrap_or_default();
    digits.chars().take_while(char::is_ascii_digit).count() == 6
}

/// Go's name of a shape, as it occurs in sentences.
fn go_name(shape: &Shape) -> String {
    match shape {
        Shape::Text => "string".to_owned(),
        Shape::Whole(bits) => format!("int{bits}"),
        Shape::Number => "float64".to_owned(),
        Shape::Bool => "bool".to_owned(),
        Shape::Bytes => "[]uint8".to_owned(),
        Shape::Type(name) if name == "ObjectMeta" => "v1.ObjectMeta".to_owned(),
        Shape::Type(name) => format!("v1.{name}"),
        Shape::List(inner, _) => format!("[]{}", go_name(inner)),
        Shape::Map(inner, _) => format!("map[string]{}", go_name(inner)),
        _ => "string".to_owned(),
    }
}

/// Null, or a list or map without anything in it: both are written as null where they are always written.
fn is_hollow(shape: &Shape, value: &Value) -> bool {
    value.is_null() || matches!(shape, Shape::List(..) | Shape::Map(..)) && is_zero(shape, value)
}

fn is_zero(shape: &Shape, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty() && matches!(shape, Shape::Map(..)),
    }
}
