//! The table of the types that built-in kinds are made of.

use std::{collections::BTreeMap, iter::Peekable, str::Chars, sync::LazyLock};

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Anything.
    Any,
    /// Text.
    Text,
    /// A whole number of that many bits.
    Whole(u8),
    /// A number.
    Number,
    /// Yes or no.
    Bool,
    /// A time in whole seconds, or in microseconds.
    Time(bool),
    /// An amount with a unit.
    Quantity,
    /// A number or a text.
    IntOrText,
    /// Bytes in base64.
    Bytes,
    /// A type of the table.
    Type(String),
    /// A list.
    List(Box<Shape>, ListKind),
    /// A map; whether server-side apply replaces it whole.
    Map(Box<Shape>, bool),
}

/// How server-side apply treats a list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ListKind {
    /// Replaced whole.
    Atomic,
    /// Items are their own keys.
    Set,
    /// Items are distinguished by these fields.
    Keyed(Vec<String>),
}

/// When a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Always.
    Always,
    /// Always, as null when it was not given.
    AlwaysOrNull,
    /// When it was given.
    Given,
    /// When it is not empty, zero or false.
    NonZero,
}

/// How a strategic merge patch treats a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Strategy {
    /// Merged, by this key; the key is empty for lists of texts.
    pub merge: Option<String>,
    /// Whether `$retainKeys` is understood.
    pub retain_keys: bool,
}

/// One field of a type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// Its value.
    pub shape: Shape,
    /// When it is written.
    pub presence: Presence,
    /// How it is patched.
    pub strategy: Strategy,
}

/// One type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Type {
    /// Whether server-side apply replaces it whole.
    pub atomic: bool,
    /// Its fields.
    pub fields: BTreeMap<String, Field>,
    /// Its fields by their numbers in protobuf; a name that is `^` means a message whose fields are members here.
    pub numbers: BTreeMap<u64, (String, Shape)>,
}

static TYPES: LazyLock<BTreeMap<String, Type>> = LazyLock::new(|| {
    let lines = include_str!("../kinds/types.txt").lines();
    lines.filter(|line| !line.starts_with('#')).filter_map(parse_type).collect()
});

/// A type of the table.
pub(crate) fn find(name: &str) -> Option<&'static Type> {
    TYPES.get(name)
}

fn parse_type(line: &str) -> Option<(String, Type)> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let (mut fields, mut numbers) = (BTreeMap::new(), BTreeMap::new());
    let mut number = 0;
    for word in words {
        let (own, word) = word.split_once('>').map_or((None, word), |(own, word)| (own.parse().ok(), word));
        number = own.unwrap_or(number + 1);
        let (field, about) = parse_field(word)?;
        if number > 0 {
            numbers.insert(number, (field.clone(), about.shape.clone()));
        }
        if field != "^" {
            fields.insert(field, about);
        }
    }
    Some((name.trim_start_matches('!').to_owned(), Type { atomic: name.starts_with('!'), fields, numbers }))
}

fn parse_field(word: &str) -> Option<(String, Field)> {
    let (name, rest) = word.split_once(':')?;
    let mut chars = rest.chars().peekable();
    let shape = parse_shape(&mut chars)?;
    let mut strategy = Strategy::default();
    if chars.next_if_eq(&'~').is_some() {
        strategy.merge = Some(word_of(&mut chars));
    }
    if chars.next_if_eq(&'%').is_some() {
        strategy.retain_keys = chars.next_if_eq(&'r').is_none();
    }
    let presence = match chars.next() {
        Some('=') if chars.next().is_some() => Presence::AlwaysOrNull,
        Some('=') => Presence::Always,
        Some('?') => Presence::Given,
        _ => Presence::NonZero,
    };
    Some((name.to_owned(), Field { shape, presence, strategy }))
}

fn parse_shape(chars: &mut Peekable<Chars<'_>>) -> Option<Shape> {
    match chars.peek()? {
        '[' => {
            chars.next();
            let inner = Box::new(parse_shape(chars)?);
            chars.next_if_eq(&']')?;
            let kind = if chars.next_if_eq(&'+').is_some() {
                ListKind::Set
            } else if chars.next_if_eq(&'@').is_some() {
                ListKind::Keyed(word_of(chars).split(',').map(str::to_owned).collect())
            } else {
                ListKind::Atomic
            };
            Some(Shape::List(inner, kind))
        }
        '{' => {
            chars.next();
            let inner = Box::new(parse_shape(chars)?);
            chars.next_if_eq(&'}')?;
            Some(Shape::Map(inner, chars.next_if_eq(&'!').is_some()))
        }
        '*' => chars.next().map(|_| Shape::Any),
        _ => {
            let word = word_of(chars);
            chars.next_if_eq(&'!');
            Some(match word.as_str() {
                "s" => Shape::Text,
                "i" => Shape::Whole(32),
                "l" => Shape::Whole(64),
                "f" => Shape::Number,
                "b" => Shape::Bool,
                "t" => Shape::Time(false),
                "m" => Shape::Time(true),
                "q" => Shape::Quantity,
                "x" => Shape::IntOrText,
                "y" => Shape::Bytes,
                _ => Shape::Type(word),
            })
        }
    }
}

fn word_of(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == ',' || *c == '.') {
        word.push(c);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_a_field_names_is_in_the_table() {
        fn named(shape: &Shape) -> Option<&str> {
            match shape {
                Shape::Type(name) => Some(name),
                Shape::List(inner, _) | Shape::Map(inner, _) => named(inner),
                _ => None,
            }
        }
        for (name, typed) in TYPES.iter() {
            for (field, about) in &typed.fields {
                let missing = named(&about.shape).filter(|name| find(name).is_none());
                assert_eq!(missing, None, "{name}.{field}");
            }
        }
        let ports = &find("ServiceSpec").unwrap().fields["ports"];
        assert_eq!(ports.strategy.merge.as_deref(), Some("port"));
        let keys = ListKind::Keyed(vec!["port".to_owned(), "protocol".to_owned()]);
        assert_eq!(ports.shape, Shape::List(Box::new(Shape::Type("ServicePort".to_owned())), keys));
        assert_eq!(TYPES["DeploymentSpec"].fields["replicas"].presence, Presence::Given);
    }
}
