//! Labels and annotations that the Canary declares follow its spec; those of others are kept.

use std::collections::BTreeMap;

use proptest::{collection::btree_map, prelude::*, sample::select};
use serde_json::Value;
use vexil_api::canary::MetadataBlock;
use vexil_object::{Store, meta};

use super::{
    arbitrary::forall,
    case::{Case, Held, broken},
    requests::requests,
};
use crate::Routes;

/// A label and an annotation of others.
const THEIRS: &str = "x-theirs";

fn pairs() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(select(&["a", "b", "c"][..]).prop_map(str::to_owned), "[x-z]", 0..3)
}

pub(super) fn follows_the_canary(case: &Case<'_>) -> Result<(), String> {
    forall(
        &(requests(case), [(pairs(), pairs()), (pairs(), pairs()), (pairs(), pairs())]),
        |(want, blocks)| {
            let mut object = case.live(&case.made(&want)?)?;
            for map in ["labels", "annotations"] {
                meta::set(&mut object, &["metadata", map, THEIRS], "1".into());
            }
            let mut store = case.put(&case.cluster, object);
            let before = declared(case, &mut store, &want, &MetadataBlock::default())?;
            let blocks = blocks.map(|(labels, annotations)| MetadataBlock { labels, annotations });
            for block in blocks.into_iter().chain([MetadataBlock::default()]) {
                let live = declared(case, &mut store, &want, &block)?;
                let (plain, with) = (before.clone(), joined(&before, &block));
                // A router that takes the metadata of its route from elsewhere ignores these.
                if live != with && live != plain {
                    return broken(format!("{block:?} over {before:?} makes {live:?}"));
                }
            }
            match metadata(&case.live(&store)?) {
                after if after == before => Ok(()),
                after => broken(format!("when nothing was declared any more, {before:?} became {after:?}")),
            }
        },
    )
}

/// The metadata of the route when the Canary declares `block` for its apex.
fn declared(case: &Case<'_>, store: &mut Store, want: &Routes, block: &MetadataBlock) -> Held<Metadata> {
    let mut spec = case.target.spec.clone();
    spec.service.apex = Some(block.clone());
    let case = case.with(case.target_with(&spec));
    case.make(store, want)?;
    Ok(metadata(&case.live(store)?))
}

type Metadata = BTreeMap<&'static str, BTreeMap<String, String>>;

/// Labels and annotations, except for what a router records there.
fn metadata(object: &Value) -> Metadata {
    let of = |map: &str| {
        let pairs =
            object.pointer(&format!("/metadata/{map}")).and_then(Value::as_object).into_iter().flatten();
        let pairs = pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        pairs.filter(|(key, _)| key != crate::WRITTEN).collect()
    };
    ["labels", "annotations"].map(|map| (map, of(map))).into()
}

fn joined(before: &Metadata, block: &MetadataBlock) -> Metadata {
    let mut all = before.clone();
    for (map, pairs) in [("labels", &block.labels), ("annotations", &block.annotations)] {
        all.entry(map).or_default().extend(pairs.clone());
    }
    all
}
