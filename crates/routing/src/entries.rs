//! Our two entries in a list of a route object that also holds entries of others: found, read, put in their place.

use serde_json::{Map, Value};
use vexil_object::{ObjectKey, meta};

use crate::{RouteError, Routes, Weight};

/// Which of our two Services an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The Service of the primary pods.
    Primary,
    /// The Service of the canary pods.
    Canary,
}

/// What is wrong with an entry that names nothing.
pub const NAMELESS: &str =
    "names no Service: somebody removed its reference, or the CRD in the cluster has no such field";

/// A list of weighted entries in a live object, in its order. An entry that is on no side is somebody else's.
#[derive(Debug)]
pub struct Entries<'a> {
    key: &'a ObjectKey,
    path: String,
    list: Vec<(Option<Side>, &'a Value)>,
    /// Where the first entry was that names nothing.
    nameless: Option<usize>,
}

impl<'a> Entries<'a> {
    /// Looks at the list at `path` (`spec.rules[0].backends`). One that is missing is an empty one.
    ///
    /// # Errors
    /// [`RouteError::Malformed`] when the way to it is blocked, or it is no list of objects.
    pub fn at(
        key: &'a ObjectKey,
        live: &'a Value,
        path: impl Into<String>,
        side: impl Fn(&Value) -> Option<Side>,
    ) -> Result<Self, RouteError> {
        let path = path.into();
        let items = items(key, live, &path)?;
        let list = items.into_iter().map(|(_, entry)| (side(entry), entry)).collect();
        Ok(Entries { key, list, path, nameless: None })
    }

    /// Takes out what names nothing, neither ours nor another's: what an API server leaves of an entry whose definition
    /// has no such fields. Reading reports it; where the object is ours, [`Entries::with`] puts whole entries in its
    /// place, so that the list never grows.
    #[must_use]
    pub fn without_nameless(mut self, names_nothing: impl Fn(&Value) -> bool) -> Self {
        let nameless = |(side, entry): &(Option<Side>, &Value)| side.is_none() && names_nothing(entry);
        self.nameless = self.list.iter().position(nameless);
        self.list.retain(|entry| !nameless(entry));
        self
    }

    /// Whether there were entries that name nothing.
    pub fn has_nameless(&self) -> bool {
        self.nameless.is_some()
    }

    /// Refuses a list of a user's that has entries which name nothing: whose they are cannot be told, and one more
    /// would come with every write.
    ///
    /// # Errors
    /// [`RouteError::Malformed`] with the first of them.
    pub fn all_named(&self) -> Result<(), RouteError> {
        let Some(at) = self.nameless else { return Ok(()) };
        Err(RouteError::malformed(self.key, format!("{}[{at}]", self.path), NAMELESS))
    }

    /// Where the list stands.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The first entry of a side.
    pub fn find(&self, side: Side) -> Option<&'a Value> {
        self.list.iter().find(|(of, _)| *of == Some(side)).map(|(_, entry)| *entry)
    }

    /// Whether either of our entries is in it.
    pub fn has_ours(&self) -> bool {
        self.list.iter().any(|(of, _)| of.is_some())
    }

    /// The entries of others, in their order.
    pub fn others(&self) -> Vec<Value> {
        let others = self.list.iter().filter(|(of, _)| of.is_none());
        others.map(|(_, entry)| (*entry).clone()).collect()
    }

    /// The split that our two entries say; `number` reads a weight as this API writes it. Entries of others take their
    /// share beside it and do not count.
    ///
    /// # Errors
    /// [`RouteError::Edited`] unless both are there, once, with whole numbers that sum to 100.
    pub fn routes(&self, number: impl Fn(&Value) -> Option<i64>) -> Result<Routes, RouteError> {
        if let Some(at) = self.nameless {
            return Err(RouteError::edited(self.key, format!("{}[{at}]", self.path), NAMELESS));
        }
        let primary = self.weight(Side::Primary, "primary", &number)?;
        let canary = self.weight(Side::Canary, "canary", &number)?;
        if primary != canary.rest() {
            let problem = format!("has primary {primary} and canary {canary}, which is not 100 in all");
            return Err(RouteError::edited(self.key, &self.path, problem));
        }
        Ok(Routes::split(canary))
    }

    fn weight(
        &self,
        side: Side,
        name: &str,
        number: impl Fn(&Value) -> Option<i64>,
    ) -> Result<Weight, RouteError> {
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
                    .ok_or_else(|| format!("is {value}, not a whole number from 0 to 100")),
            };
            found = Some(weight.map_err(|how| RouteError::edited(self.key, format!("{path}.weight"), how))?);
        }
        found.ok_or_else(|| RouteError::edited(self.key, &self.path, format!("has no entry for the {name}")))
    }

    /// The list with these as our two entries, each made by `entry` from the live one of its side, else from that of
    /// the other side (what stands beside the weight is the application's), else from nothing. Each stands where its
    /// first live entry is; one that has none stands at the front or behind the one before it. Repeated ones go.
    pub fn with(&self, sides: [Side; 2], entry: impl Fn(Side, Value) -> Value) -> Vec<Value> {
        let base = |side| self.find(side).or_else(|| sides.iter().find_map(|other| self.find(*other)));
        let ours = sides.map(|side| (side, entry(side, base(side).cloned().unwrap_or_default())));
        let mut list: Vec<(Option<Side>, Value)> = Vec::new();
        for (of, live) in &self.list {
            let wanted = ours.iter().find(|(side, _)| *of == Some(*side));
            match wanted {
                None => list.push((*of, (*live).clone())),
                Some(_) if list.iter().any(|(there, _)| there == of) => {}
                Some((_, entry)) => list.push((*of, entry.clone())),
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

/// The split that several lists say alike; `None` when there is no list.
///
/// # Errors
/// [`RouteError::Edited`] when one of them cannot be read, or differs from one before it.
pub fn agreed(
    lists: &[Entries<'_>],
    number: fn(&Value) -> Option<i64>,
) -> Result<Option<Routes>, RouteError> {
    let mut split: Option<Routes> = None;
    for entries in lists {
        let routes = entries.routes(number)?;
        if split.is_some_and(|before| before != routes) {
            let problem = "says another split than a list before it";
            return Err(RouteError::edited(entries.key, &entries.path, problem));
        }
        split = Some(routes);
    }
    Ok(split)
}

/// The objects of the list at `path`, each with its own path; none when the list is missing.
///
/// # Errors
/// [`RouteError::Malformed`] when the way to it is blocked, or it is no list of objects.
pub fn items<'a>(
    key: &ObjectKey,
    live: &'a Value,
    path: &str,
) -> Result<Vec<(String, &'a Value)>, RouteError> {
    for (end, _) in path.match_indices('.') {
        let step = path.get(..end).unwrap_or_default();
        match live.pointer(&pointer(step)) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Object(_)) => {}
            Some(_) => return Err(RouteError::malformed(key, step, "is not an object")),
        }
    }
    let list = match live.pointer(&pointer(path)) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(RouteError::malformed(key, path, "is not a list")),
    };
    let items = list.iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), item));
    items
        .map(|(path, item)| match item {
            Value::Object(_) => Ok((path, item)),
            _ => Err(RouteError::malformed(key, path, "is not an object")),
        })
        .collect()
}

/// Writes the field at `path`, making the objects on the way; items of lists that it passes must be there.
pub fn put(object: &mut Value, path: &str, value: Value) {
    if let Some(place) = object.pointer_mut(&pointer(path)) {
        *place = value;
        return;
    }
    match path.rsplit_once('.') {
        None => meta::set(object, &[path], value),
        Some((parent, field)) => {
            if object.pointer(&pointer(parent)).is_none_or(|place| !place.is_object()) {
                put(object, parent, Value::Object(Map::new()));
            }
            if let Some(place) = object.pointer_mut(&pointer(parent)) {
                meta::set(place, &[field], value);
            }
        }
    }
}

/// `spec.to[0].rules` as a JSON pointer. The fields that routers walk through have plain names.
pub fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/"))
}

#[cfg(test)]
mod tests;
