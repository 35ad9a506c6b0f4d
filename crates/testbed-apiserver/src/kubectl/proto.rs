//! Reading objects in protobuf, which is how `kubectl create namespace` and its like send them. Answers are JSON.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::schema::types::{Shape, find};

/// What every object in protobuf begins with.
const MAGIC: &[u8] = b"k8s\0";

/// The object of the type `name` in a body. `None` when it cannot be read.
pub(crate) fn object(name: &str, body: &[u8]) -> Option<Value> {
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for (number, part) in parts(body.strip_prefix(MAGIC)?)? {
        match (number, part) {
            (1, Part::Bytes(about)) => {
                for (number, part) in parts(about)? {
                    match (number, part) {
                        (1, Part::Bytes(text)) => api_version = utf8(text),
                        (2, Part::Bytes(text)) => kind = utf8(text),
                        _ => {}
                    }
                }
            }
            (2, Part::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let mut members = Map::new();
    message(name, raw, &mut members)?;
    members.insert("apiVersion".to_owned(), json!(api_version));
    members.insert("kind".to_owned(), json!(kind));
    Some(Value::Object(members))
}

/// The value of a field on the wire.
#[derive(Clone, Copy)]
enum Part<'a> {
    Number(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

fn parts(mut bytes: &[u8]) -> Option<Vec<(u64, Part<'_>)>> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let part = match tag & 7 {
            0 => Part::Number(varint(&mut bytes)?),
            1 => Part::Double(f64::from_le_bytes(take(&mut bytes, 8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                Part::Bytes(take(&mut bytes, length)?)
            }
            _ => return None,
        };
        parts.push((tag >> 3, part));
    }
    Some(parts)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head)
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn message(name: &str, bytes: &[u8], members: &mut Map<String, Value>) -> Option<()> {
    let typed = find(name)?;
    for (number, part) in parts(bytes)? {
        let Some((field, shape)) = typed.numbers.get(&number) else { continue };
        match (field.as_str(), shape, part) {
            ("^", Shape::Type(inner), Part::Bytes(bytes)) => message(inner, bytes, members)?,
            (field, Shape::List(inner, _), part) => {
                let item = single(inner, part)?;
                let list = members.entry(field).or_insert_with(|| json!([]));
                list.as_array_mut()?.push(item);
            }
            (field, Shape::Map(inner, _), Part::Bytes(bytes)) => {
                let (mut key, mut value) = (String::new(), Value::Null);
                for (number, part) in parts(bytes)? {
                    match (number, part) {
                        (1, Part::Bytes(text)) => key = utf8(text),
                        (2, part) => value = single(inner, part)?,
                        _ => {}
                    }
                }
                let map = members.entry(field).or_insert_with(|| json!({}));
                map.as_object_mut()?.insert(key, value);
            }
            (field, shape, part) => {
                members.insert(field.to_owned(), single(shape, part)?);
            }
        }
    }
    Some(())
}

fn single(shape: &Shape, part: Part<'_>) -> Option<Value> {
    Some(match (shape, part) {
        (Shape::Type(name), Part::Bytes(bytes)) => {
            let mut members = Map::new();
            message(name, bytes, &mut members)?;
            Value::Object(members)
        }
        (Shape::Text, Part::Bytes(bytes)) => json!(utf8(bytes)),
        (Shape::Bytes, Part::Bytes(bytes)) => json!(STANDARD.encode(bytes)),
        (Shape::Bool, Part::Number(number)) => json!(number != 0),
        (_, Part::Number(number)) => json!(number.cast_signed()),
        (_, Part::Double(number)) => json!(number),
        (Shape::Time(micros), Part::Bytes(bytes)) => time(bytes, *micros)?,
        (Shape::Quantity, Part::Bytes(bytes)) => json!(inner_text(bytes, 1)?),
        (Shape::IntOrText, Part::Bytes(bytes)) => int_or_text(bytes)?,
        (Shape::Any, Part::Bytes(bytes)) => serde_json::from_str(&inner_text(bytes, 1)?).unwrap_or_default(),
        _ => return None,
    })
}

fn inner_text(bytes: &[u8], wanted: u64) -> Option<String> {
    let text = parts(bytes)?.into_iter().find_map(|(number, part)| match part {
        Part::Bytes(bytes) if number == wanted => Some(utf8(bytes)),
        _ => None,
    });
    Some(text.unwrap_or_default())
}

fn inner_number(bytes: &[u8], wanted: u64) -> Option<i64> {
    let number = parts(bytes)?.into_iter().find_map(|(number, part)| match part {
        Part::Number(value) if number == wanted => Some(value.cast_signed()),
        _ => None,
    });
    Some(number.unwrap_or_default())
}

/// A message with nothing in it is the time that was not given.
fn time(bytes: &[u8], micros: bool) -> Option<Value> {
    if bytes.is_empty() {
        return Some(Value::Null);
    }
    let nanos = i32::try_from(inner_number(bytes, 2)?).ok()?;
    let time = jiff::Timestamp::new(inner_number(bytes, 1)?, nanos).ok()?;
    let format = if micros { "%Y-%m-%dT%H:%M:%S.%6fZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    Some(json!(time.strftime(format).to_string()))
}

fn int_or_text(bytes: &[u8]) -> Option<Value> {
    Some(match inner_number(bytes, 1)? {
        0 => json!(inner_number(bytes, 2)?),
        _ => json!(inner_text(bytes, 3)?),
    })
}
