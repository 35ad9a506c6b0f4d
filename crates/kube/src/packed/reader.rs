//! The way back from bytes to a tree.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::{
    REMEMBERED, WORDS, WORTH_REMEMBERING,
    forms::{REVISION, hex, time_text},
    tag,
};

/// Reads what a writer has written. `None` where the bytes end too early, which they do not.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    seen: Vec<Cow<'a, str>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], seen: [&'a str; 2]) -> Self {
        Reader { bytes, seen: seen.map(Cow::Borrowed).to_vec() }
    }

    pub(super) fn value(&mut self) -> Option<Value> {
        let first = self.byte()?;
        Some(match first {
            tag::NULL => Value::Null,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::UNSIGNED => self.number()?.into(),
            tag::NEGATIVE => 0_i64.wrapping_sub_unsigned(self.number()?).into(),
            tag::FLOAT => {
                let (bytes, rest) = self.bytes.split_first_chunk::<8>()?;
                self.bytes = rest;
                Number::from_f64(f64::from_le_bytes(*bytes)).map_or(Value::Null, Value::Number)
            }
            tag::ARRAY => {
                let count = self.number()?;
                self.items(count)?
            }
            tag::OBJECT => {
                let count = self.number()?;
                self.members(count)?
            }
            tag::SMALL_NUMBER..tag::SMALL_ARRAY => u64::from(first - tag::SMALL_NUMBER).into(),
            tag::SMALL_ARRAY..tag::SMALL_OBJECT => self.items(u64::from(first - tag::SMALL_ARRAY))?,
            tag::SMALL_OBJECT..tag::SHORT_TEXT => self.members(u64::from(first - tag::SMALL_OBJECT))?,
            _ => Value::String(self.text(first)?),
        })
    }

    fn items(&mut self, count: u64) -> Option<Value> {
        (0..count).map(|_| self.value()).collect::<Option<Vec<Value>>>().map(Value::Array)
    }

    fn members(&mut self, count: u64) -> Option<Value> {
        let mut members = Map::new();
        for _ in 0..count {
            let first = self.byte()?;
            let name = self.text(first)?;
            members.insert(name, self.value()?);
        }
        Some(Value::Object(members))
    }

    fn text(&mut self, first: u8) -> Option<String> {
        let word = |place: u8| WORDS.get(usize::from(place)).map(|word| (*word).to_owned());
        match first {
            tag::FIRST_WORD.. => word(first - tag::FIRST_WORD),
            tag::WORD => {
                let place = self.byte()?;
                word(place)
            }
            tag::AGAIN => {
                let place = self.number()?;
                Some(self.seen.get(usize::try_from(place).ok()?)?.clone().into_owned())
            }
            tag::DIGITS => Some(self.number()?.to_string()),
            tag::HEX => {
                let size = self.number()?;
                Some(hex(self.take(size)?))
            }
            tag::MORE => {
                let text = match self.byte()? {
                    tag::TIME => time_text(self.number()?),
                    _ => {
                        let size = self.number()?;
                        [REVISION, &hex(self.take(size)?)].concat()
                    }
                };
                self.remember(Cow::Owned(text.clone()));
                Some(text)
            }
            tag::UUID => {
                let hex = hex(self.take(16)?);
                let part = |from, to| hex.get(from..to).unwrap_or_default();
                let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
                Some(parts.join("-"))
            }
            tag::LONGER => {
                let place = self.number()?;
                let mut text = self.seen.get(usize::try_from(place).ok()?)?.clone().into_owned();
                let first = self.byte()?;
                text.push_str(self.written(first)?);
                self.remember(Cow::Owned(text.clone()));
                Some(text)
            }
            _ => {
                let text = self.written(first)?;
                self.remember(Cow::Borrowed(text));
                Some(text.to_owned())
            }
        }
    }

    fn written(&mut self, first: u8) -> Option<&'a str> {
        let size = match first {
            tag::TEXT => self.number()?,
            _ => u64::from(first.checked_sub(tag::SHORT_TEXT)?),
        };
        std::str::from_utf8(self.take(size)?).ok()
    }

    fn remember(&mut self, text: Cow<'a, str>) {
        if text.len() >= WORTH_REMEMBERING && self.seen.len() < REMEMBERED {
            self.seen.push(text);
        }
    }

    fn take(&mut self, size: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(usize::try_from(size).ok()?)?;
        self.bytes = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let (number, rest) = number(self.bytes)?;
        self.bytes = rest;
        Some(number)
    }
}

/// A number, and what follows it.
pub(super) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut number, mut bytes) = (0_u64, bytes);
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some((number, bytes));
        }
    }
    None
}
