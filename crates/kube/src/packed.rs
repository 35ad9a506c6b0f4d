//! An object as the cache keeps it: a few hundred bytes where the tree of the same object takes thousands. Each change
//! of an object and each look is paid for once; memory is paid for all objects, all the time.
//!
//! Words that Kubernetes repeats are one byte, what the object repeats (its name, in labels, selectors and references)
//! is two, uids, digests and numbers are binary. Nothing is lost: [`Packed::value`] answers what was packed.

use serde_json::{Map, Number, Value};
use vexil_object::meta;

mod forms;
mod reader;
mod words;

use forms::{digits, revision, time, unhex, uuid};
use reader::Reader;
use words::{WORDS, word};

/// One object in one allocation: its version in eight bytes, so that two versions that say the same have equal bytes
/// behind them; its place with its length; then the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed(Box<[u8]>);

/// The parts of the bytes.
struct Parts<'a> {
    version: u64,
    place: &'a str,
    object: &'a [u8],
}

/// Namespace and name with a zero byte between them: sorted by it, objects are sorted by namespace, then by name.
pub(crate) fn place(namespace: &str, name: &str) -> String {
    [namespace, "\0", name].concat()
}

/// What a first byte means. Small numbers, lengths and the most frequent words are part of it.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const UNSIGNED: u8 = 3;
    pub(super) const NEGATIVE: u8 = 4;
    pub(super) const FLOAT: u8 = 5;
    pub(super) const TEXT: u8 = 6;
    pub(super) const AGAIN: u8 = 7;
    pub(super) const LONGER: u8 = 8;
    pub(super) const HEX: u8 = 9;
    pub(super) const UUID: u8 = 10;
    pub(super) const DIGITS: u8 = 11;
    pub(super) const ARRAY: u8 = 12;
    pub(super) const OBJECT: u8 = 13;
    pub(super) const WORD: u8 = 14;
    /// Another tag follows.
    pub(super) const MORE: u8 = 15;
    pub(super) const TIME: u8 = 0;
    pub(super) const REVISION: u8 = 1;
    pub(super) const SMALL_NUMBER: u8 = 0x10;
    pub(super) const SMALL_ARRAY: u8 = 0x20;
    pub(super) const SMALL_OBJECT: u8 = 0x30;
    pub(super) const SHORT_TEXT: u8 = 0x40;
    pub(super) const FIRST_WORD: u8 = 0x80;
}

/// How many different texts of one object are looked through for a repetition: so packing stays linear.
const REMEMBERED: usize = 48;
/// Shorter texts are written again.
const WORTH_REMEMBERING: usize = 3;

impl Packed {
    /// Packs an object.
    pub(crate) fn of(object: &Value) -> Self {
        let mut writer = Writer::default();
        let text = meta::resource_version(object);
        let version: u64 = text.parse().unwrap_or_default();
        // A version that is no number stays where it is.
        writer.version = (version > 0 && digits(text).is_some()).then_some(text);
        let (namespace, name) =
            (meta::text(object, "/metadata/namespace"), meta::text(object, "/metadata/name"));
        writer.remember(namespace);
        writer.remember(name);
        let place = place(namespace, name);
        writer.bytes.extend(version.to_le_bytes());
        writer.number(place.len() as u64);
        writer.bytes.extend(place.as_bytes());
        writer.value(object);
        Packed(writer.bytes.into_boxed_slice())
    }

    /// The object, as it was.
    pub(crate) fn value(&self) -> Value {
        let Parts { version, place, object } = self.parts();
        let (namespace, name) = place.split_once('\0').unwrap_or_default();
        let mut object = Reader::new(object, [namespace, name]).value().unwrap_or_default();
        if version > 0 && meta::resource_version(&object).is_empty() {
            meta::set(&mut object, &["metadata", "resourceVersion"], version.to_string().into());
        }
        object
    }

    /// Its resourceVersion as a number; 0 when it is none.
    pub(crate) fn version(&self) -> u64 {
        self.parts().version
    }

    /// Its [`place`].
    pub(crate) fn place(&self) -> &str {
        self.parts().place
    }

    /// Whether both say the same, whatever their versions.
    pub(crate) fn says_the_same(&self, other: &Packed) -> bool {
        self.0.get(VERSION_BYTES..) == other.0.get(VERSION_BYTES..)
    }

    fn parts(&self) -> Parts<'_> {
        let parts = || {
            let (version, rest) = self.0.split_first_chunk::<VERSION_BYTES>()?;
            let (size, rest) = reader::number(rest)?;
            let (place, object) = rest.split_at_checked(usize::try_from(size).ok()?)?;
            Some(Parts {
                version: u64::from_le_bytes(*version),
                place: std::str::from_utf8(place).ok()?,
                object,
            })
        };
        // It was written above.
        parts().unwrap_or(Parts { version: 0, place: "", object: &[] })
    }
}

const VERSION_BYTES: usize = 8;

#[derive(Default)]
struct Writer<'a> {
    bytes: Vec<u8>,
    seen: Vec<&'a str>,
    /// The text of the version, which is kept outside.
    version: Option<&'a str>,
    depth: usize,
    in_metadata: bool,
}

impl<'a> Writer<'a> {
    fn remember(&mut self, text: &'a str) {
        if self.seen.len() < REMEMBERED {
            self.seen.push(text);
        }
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn sized(&mut self, small: u8, room: u8, large: u8, size: usize) {
        match u8::try_from(size) {
            Ok(size) if size < room => self.bytes.push(small + size),
            _ => {
                self.bytes.push(large);
                self.number(size as u64);
            }
        }
    }

    fn value(&mut self, value: &'a Value) {
        match value {
            Value::Null => self.bytes.push(tag::NULL),
            Value::Bool(false) => self.bytes.push(tag::FALSE),
            Value::Bool(true) => self.bytes.push(tag::TRUE),
            Value::Number(number) => self.numeral(number),
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                self.sized(tag::SMALL_ARRAY, 16, tag::ARRAY, items.len());
                items.iter().for_each(|item| self.value(item));
            }
            Value::Object(members) => self.members(members),
        }
    }

    fn members(&mut self, members: &'a Map<String, Value>) {
        let kept_outside =
            |name: &str| self.in_metadata && self.version.is_some() && name == "resourceVersion";
        let count = members.keys().filter(|name| !kept_outside(name)).count();
        let skips = count < members.len();
        self.sized(tag::SMALL_OBJECT, 16, tag::OBJECT, count);
        for (name, value) in members {
            if skips && name == "resourceVersion" {
                continue;
            }
            self.text(name);
            let (depth, inside) = (self.depth, self.in_metadata);
            self.in_metadata = depth == 0 && name == "metadata" && value.is_object();
            self.depth += 1;
            self.value(value);
            (self.depth, self.in_metadata) = (depth, inside);
        }
    }

    fn numeral(&mut self, number: &Number) {
        match (number.as_u64(), number.as_i64()) {
            (Some(small), _) if small < 16 => self.bytes.push(tag::SMALL_NUMBER + small as u8),
            (Some(number), _) => {
                self.bytes.push(tag::UNSIGNED);
                self.number(number);
            }
            (None, Some(negative)) => {
                self.bytes.push(tag::NEGATIVE);
                self.number(negative.unsigned_abs());
            }
            (None, None) => {
                self.bytes.push(tag::FLOAT);
                self.bytes.extend(number.as_f64().unwrap_or_default().to_le_bytes());
            }
        }
    }

    fn text(&mut self, text: &'a str) {
        if let Some(word) = word(text) {
            return match word.checked_add(tag::FIRST_WORD) {
                Some(byte) => self.bytes.push(byte),
                None => self.bytes.extend([tag::WORD, word]),
            };
        }
        if let Some(place) = self.seen.iter().position(|seen| *seen == text) {
            self.bytes.push(tag::AGAIN);
            return self.number(place as u64);
        }
        if let Some(number) = digits(text) {
            self.bytes.push(tag::DIGITS);
            return self.number(number);
        }
        if let Some(time) = time(text) {
            self.bytes.extend([tag::MORE, tag::TIME]);
            self.number(time);
            return self.remember(text);
        }
        if let Some(bytes) = revision(text) {
            self.bytes.extend([tag::MORE, tag::REVISION]);
            self.number(bytes.len() as u64);
            self.bytes.extend(bytes);
            return self.remember(text);
        }
        if let Some(bytes) = uuid(text) {
            self.bytes.push(tag::UUID);
            return self.bytes.extend(bytes);
        }
        if let Some(bytes) = unhex(text).filter(|bytes| bytes.len() >= 4) {
            self.bytes.push(tag::HEX);
            self.number(bytes.len() as u64);
            return self.bytes.extend(bytes);
        }
        let starts = |seen: &&'a str| seen.len() >= WORTH_REMEMBERING && text.starts_with(seen);
        let longest = self.seen.iter().copied().filter(starts).max_by_key(|seen| seen.len());
        let place = longest.and_then(|longest| self.seen.iter().position(|seen| *seen == longest));
        let rest = match (place, longest.and_then(|longest| text.strip_prefix(longest))) {
            (Some(place), Some(rest)) => {
                self.bytes.push(tag::LONGER);
                self.number(place as u64);
                rest
            }
            _ => text,
        };
        self.sized(tag::SHORT_TEXT, 64, tag::TEXT, rest.len());
        self.bytes.extend(rest.as_bytes());
        if text.len() >= WORTH_REMEMBERING {
            self.remember(text);
        }
    }
}

#[cfg(test)]
mod tests;
