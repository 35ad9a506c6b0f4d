//! Our two entries in a list of a route object that also holds entries of others: found, read and written in place.

use serde_json::Value;
use vexil_object::ObjectKey;

use crate::{RouteError, RouteRequest, Routes, Side, Weight, items};

/// The problem with an entry that names nothing.
pub const NAMELESS: &str =
    "names no Service: its reference was removed, or the CRD in the cluster has no such field";

/// A list of weighted entries in a live object, in its order. An entry that is on no side belongs to others.
#[derive(Debug)]
pub struct Entries<'a> {
    key: &'a ObjectKey,
    path: String,
    list: Vec<(Option<Side>, &'a Value)>,
    /// The position of the first entry that names nothing.
    nameless: Option<usize>,
    /// Whether an entry without weight is left out.
    omits_zero: bool,
}

impl<'a> Entries<'a> {
    /// The list at `path` (`spec.rules[0].backends`); a missing list counts as an empty one. `side` says which of our
    /// Services an entry names.
    ///
    /// # Errors
    /// [`RouteError::Malformed`] when a parent of it is not an object, or it is not a list of objects.
    pub fn at(
        key: &'a ObjectKey,
        live: &'a Value,
        path: impl Into<String>,
        side: impl Fn(&Value) -> Option<Side>,
    ) -> Result<Self, RouteError> {
        let path = path.into();
        let items = items(key, live, &path)?;
        let list = items.into_iter().map(|(_, entry)| (side(entry), entry)).collect();
        Ok(Entries { key, list, path, nameless: None, omits_zero: false })
    }

    /// Drops entries that name nothing, neither ours nor another's: an API server leaves such entries when the CRD
    /// has no such fields. Reading reports them; in an object of ours [`Entries::written`] puts complete entries in
    /// their place, so that the list never grows.
    #[must_use]
    pub fn without_nameless(mut self, names_nothing: impl Fn(&Value) -> bool) -> Self {
        let nameless = |(side, entry): &(Option<Side>, &Value)| side.is_none() && names_nothing(entry);
        self.nameless = self.list.iter().position(nameless);
        self.list.retain(|entry| !nameless(entry));
        self
    }

    /// For products that reject an entry without endpoints: an entry of ours exists only while it has weight.
    #[must_use]
    pub fn without_zero(mut self) -> Self {
        self.omits_zero = true;
        self
    }

    /// Whether there were entries that name nothing.
    pub fn has_nameless(&self) -> bool {
        self.nameless.is_some()
    }

    /// Refuses a list of the user that has entries which name nothing: it is unknown whose they are, and every write
    /// would add another.
    ///
    /// # Errors
    /// [`RouteError::Malformed`] with the first of them.
    pub fn all_named(&self) -> Result<(), RouteError> {
        let Some(at) = self.nameless else { return Ok(()) };
        Err(RouteError::malformed(self.key, format!("{}[{at}]", self.path), NAMELESS))
    }

    /// The path of the list.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The first entry of a side.
    pub fn find(&self, side: Side) -> Option<&'a Value> {
        self.list.iter().find(|(of, _)| *of == Some(side)).map(|(_, entry)| *entry)
    }

    /// Whether it contains an entry of ours.
    pub fn has_ours(&self) -> bool {
        self.list.iter().any(|(of, _)| of.is_some())
    }

    /// The entries of others, in their order.
    pub fn others(&self) -> Vec<Value> {
        let others = self.list.iter().filter(|(of, _)| of.is_none());
        others.map(|(_, entry)| (*entry).clone()).collect()
    }

    /// The weights that our two entries say; `number` reads a weight as this API writes it. Entries of others take
    /// their share beside ours and are not counted.
    ///
    /// # Errors
    /// [`RouteError::Edited`] unless both exist, once, with integers that sum to 100. Where an entry without weight is
    /// left out, one of the two may be missing.
    pub fn routes(&self, number: impl Fn(&Value) -> Option<i64>) -> Result<Routes, RouteError> {
        if let Some(at) = self.nameless {
            return Err(RouteError::edited(self.key, format!("{}[{at}]", self.path), NAMELESS));
        }
        let (primary, canary) = (self.weight(Side::Primary, &number)?, self.weight(Side::Canary, &number)?);
        let missing = match (primary, canary) {
            (None, None) if self.omits_zero => Some("has no entry for the primary and none for the canary"),
            (None, _) if !self.omits_zero => Some("has no entry for the primary"),
            (_, None) if !self.omits_zero => Some("has no entry for the canary"),
            _ => None,
        };
        if let Some(problem) = missing {
            return Err(RouteError::edited(self.key, &self.path, problem));
        }
        let (primary, canary) = (primary.unwrap_or(Weight::ZERO), canary.unwrap_or(Weight::ZERO));
        if primary != canary.rest() {
            let problem = format!("has primary {primary} and canary {canary}, which is not 100 in all");
            return Err(RouteError::edited(self.key, &self.path, problem));
        }
        Ok(Routes::split(canary))
    }

    /// The weight of the only entry of a side; `None` when there is no such entry.
    fn weight(
        &self,
        side: Side,
        number: impl Fn(&Value) -> Option<i64>,
    ) -> Result<Option<Weight>, RouteError> {
        let mut found = None;
        for (at, (_, entry)) in self.list.iter().enumerate().filter(|(_, (of, _))| *of == Some(side)) {
            let path = format!("{}[{at}]", self.path);
            if found.is_some() {
                let problem = "names a Service that an entry before it names";
                return Err(RouteError::edited(self.key, path, problem));
            }
            let weight = match entry.get("weight") {
                None | Some(Value::Null) => Err("is missing".to_owned()),
                Some(value) => number(value)
                    .and_then(|percent| Weight::new(percent).ok())
                    .ok_or_else(|| format!("is {value}, not an integer from 0 to 100")),
            };
            found = Some(weight.map_err(|how| RouteError::edited(self.key, format!("{path}.weight"), how))?);
        }
        Ok(found)
    }

    /// The list with our two entries saying `want`. `entry` makes each of them from its weight and the live entry of
    /// its side, else from that of the other side (its other fields are the application's), else from null. An
    /// entry stays where the first live one of its side is; a new one is inserted at the front or behind the one before
    /// it in `order`. Repeated ones are removed.
    pub fn written(
        &self,
        order: [Side; 2],
        want: &RouteRequest<'_>,
        entry: impl Fn(Side, Weight, Value) -> Value,
    ) -> Vec<Value> {
        let base = |side| self.find(side).or_else(|| order.iter().find_map(|other| self.find(*other)));
        let wanted = order.into_iter().map(|side| (side, want.weight(side)));
        let ours: Vec<(Side, Value)> = wanted
            .filter(|(_, weight)| !(self.omits_zero && weight.is_zero()))
            .map(|(side, weight)| (side, entry(side, weight, base(side).cloned().unwrap_or_default())))
            .collect();
        let mut list: Vec<(Option<Side>, Value)> = Vec::new();
        for (of, live) in &self.list {
            let wanted = ours.iter().find(|(side, _)| *of == Some(*side));
            match (of, wanted) {
                (None, _) => list.push((None, (*live).clone())),
                (Some(_), Some((_, entry))) if !list.iter().any(|(there, _)| there == of) => {
                    list.push((*of, entry.clone()));
                }
                (Some(_), _) => {}
            }
        }
        let mut at = 0;
        for (side, entry) in ours {
            match list.iter().position(|(of, _)| *of == Some(side)) {
                Some(found) => at = found + 1,
                None => {
                    list.insert(at, (Some(side), entry));
                    at += 1;
                }
            }
        }
        list.into_iter().map(|(_, entry)| entry).collect()
    }
}

/// The routes that several lists agree on; `None` when there is no list.
///
/// # Errors
/// [`RouteError::Edited`] when one of them cannot be read, or differs from one before it.
pub fn agreed<'a>(
    lists: impl IntoIterator<Item = &'a Entries<'a>>,
    number: fn(&Value) -> Option<i64>,
) -> Result<Option<Routes>, RouteError> {
    let mut split: Option<Routes> = None;
    for entries in lists {
        let routes = entries.routes(number)?;
        if split.is_some_and(|before| before != routes) {
            let problem = "has other weights than a list before it";
            return Err(RouteError::edited(entries.key, &entries.path, problem));
        }
        split = Some(routes);
    }
    Ok(split)
}

#[cfg(test)]
mod tests;
