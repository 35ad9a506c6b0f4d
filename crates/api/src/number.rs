//! Numbers as Kubernetes stores them: `10` and `10.0` are equal, and each is written back as it was.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Above this a double no longer holds every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A JSON number that is a whole one. Flagger's schema says `number`, its types say integer.
struct Whole(i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Whole;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a whole number")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Whole, E> {
                Ok(Whole(n))
            }
            fn visit_u64<E: de::Error>(self, n: u64) -> Result<Whole, E> {
                i64::try_from(n)
                    .map(Whole)
                    .map_err(|_| E::custom(format_args!("the number {n} is too large")))
            }
            fn visit_f64<E: de::Error>(self, n: f64) -> Result<Whole, E> {
                if n.fract() == 0.0 && n.abs() < EXACT {
                    Ok(Whole(n as i64))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(n), &self))
                }
            }
        }
        from.deserialize_any(Visitor)
    }
}

/// Reads an optional whole number.
pub(crate) fn int<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(Option::<Whole>::deserialize(from)?.map(|n| n.0))
}

/// Reads a whole number that is zero when null.
pub(crate) fn int_or_zero<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    Ok(int(from)?.unwrap_or_default())
}

/// Reads a list of whole numbers.
pub(crate) fn ints<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i64>, D::Error> {
    let list = Option::<Vec<Whole>>::deserialize(from)?.unwrap_or_default();
    Ok(list.into_iter().map(|n| n.0).collect())
}

/// Writes a double as an integer when it is one, so that `99` stays `99`.
pub(crate) fn float<S: Serializer>(number: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(n) if n.fract() == 0.0 && n.abs() < EXACT => (*n as i64).serialize(to),
        other => other.serialize(to),
    }
}
