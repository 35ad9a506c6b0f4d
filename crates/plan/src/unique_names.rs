//! Names of a list without duplicates: the first entry of a name has that name, further ones are `name#2`, `name#3`.

use std::collections::{BTreeMap, BTreeSet};

/// Makes names unique, in order.
#[derive(Default)]
pub(crate) struct UniqueNames<'a> {
    seen: BTreeMap<&'a str, u32>,
    taken: BTreeSet<String>,
}

impl<'a> UniqueNames<'a> {
    /// Unique names other than `reserved`.
    pub(crate) fn without(reserved: &str) -> Self {
        UniqueNames { taken: BTreeSet::from([reserved.to_owned()]), ..UniqueNames::default() }
    }

    pub(crate) fn unique(&mut self, name: &'a str) -> String {
        let count = self.seen.entry(name).or_default();
        // A name such as `name#2`, or the reserved one, may already be taken.
        loop {
            *count += 1;
            let unique = if *count == 1 { name.to_owned() } else { format!("{name}#{count}") };
            if self.taken.insert(unique.clone()) {
                return unique;
            }
        }
    }
}
