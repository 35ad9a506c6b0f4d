//! Strategic merge patches: merge patches that know the keys of lists.

use serde_json::{Map, Value};

use crate::{
    errors::{Reply, Status},
    schema::{node::Node, types::Strategy},
};

/// The object after merging `body` into it.
///
/// # Errors
/// 400 when the body is no JSON object.
pub(crate) fn apply(schema: Node<'_>, object: &Value, body: &[u8]) -> Reply<Value> {
    let patch = crate::patch::object_in(body, "")?;
    if let Some(why) = fault(schema, &patch) {
        return Err(Status::internal(why));
    }
    let mut patched = object.as_object().cloned().unwrap_or_default();
    merge_members(schema, &mut patched, &patch);
    Ok(Value::Object(patched))
}

/// What the server cannot make anything of: directives that it does not know, and items that do not say which they are.
fn fault(schema: Node<'_>, patch: &Map<String, Value>) -> Option<String> {
    let said = directive(patch);
    if !matches!(said, "" | "replace" | "delete" | "merge") {
        return Some(format!("unknown patch type: {said} in map: {}", go_map(patch)));
    }
    patch.iter().filter(|(name, _)| !name.starts_with('$')).find_map(|(name, value)| {
        let (below, _) = schema.member(name);
        let strategy = schema.strategy(name);
        let key = strategy.merge.as_deref().unwrap_or_default();
        let nameless = |item: &Map<String, Value>| {
            let missing = !key.is_empty() && !item.contains_key(key) && directive(item) != "replace";
            missing.then(|| format!("map: {} does not contain declared merge key: {key}", go_map(item)))
        };
        match value {
            Value::Object(members) => fault(below, members),
            Value::Array(items) => items
                .iter()
                .filter_map(Value::as_object)
                .find_map(|item| nameless(item).or_else(|| fault(below.item(), item))),
            _ => None,
        }
    })
}

/// A map as Go prints it.
fn go_map(members: &Map<String, Value>) -> String {
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => go_map(members),
        other => other.to_string(),
    };
    let parts: Vec<String> = members.iter().map(|(name, value)| format!("{name}:{}", shown(value))).collect();
    format!("map[{}]", parts.join(" "))
}

fn merge_members(schema: Node<'_>, members: &mut Map<String, Value>, patch: &Map<String, Value>) {
    match directive(patch) {
        "replace" => members.clear(),
        "delete" => {
            members.clear();
            return;
        }
        _ => {}
    }
    if let Some(Value::Array(kept)) = patch.get("$retainKeys") {
        members.retain(|name, _| kept.iter().any(|keep| keep == name));
    }
    for (name, value) in patch {
        if let Some(name) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().cloned().unwrap_or_default();
            if let Some(Value::Array(items)) = members.get_mut(name) {
                items.retain(|item| !gone.contains(item));
            }
        }
        if !name.starts_with('$') {
            merge_member(schema, members, name, value, order_of(patch, name));
        }
    }
    for (name, order) in
        patch.iter().filter_map(|(name, order)| Some((name.strip_prefix("$setElementOrder/")?, order)))
    {
        if let (Some(Value::Array(items)), false) = (members.get_mut(name), patch.contains_key(name)) {
            let strategy = schema.strategy(name);
            sort(items, order.as_array().map(Vec::as_slice).unwrap_or_default(), &strategy);
        }
    }
}

fn directive(patch: &Map<String, Value>) -> &str {
    patch.get("$patch").and_then(Value::as_str).unwrap_or_default()
}

fn order_of<'a>(patch: &'a Map<String, Value>, name: &str) -> Option<&'a [Value]> {
    patch.get(&format!("$setElementOrder/{name}"))?.as_array().map(Vec::as_slice)
}

fn merge_member(
    schema: Node<'_>,
    members: &mut Map<String, Value>,
    name: &str,
    patch: &Value,
    order: Option<&[Value]>,
) {
    let (below, _) = schema.member(name);
    let strategy = schema.strategy(name);
    match (patch, members.get_mut(name)) {
        (Value::Null, _) => {
            members.remove(name);
        }
        (Value::Object(patch), Some(Value::Object(have))) => merge_members(below, have, patch),
        (Value::Array(patch), Some(Value::Array(have))) if strategy.merge.is_some() => {
            merge_items(below.item(), have, patch, &strategy, order);
        }
        (other, _) => {
            members.insert(name.to_owned(), without_directives(other));
        }
    }
}

/// A patch that falls on nothing is taken as it is, but for what it says to the server.
fn without_directives(patch: &Value) -> Value {
    match patch {
        Value::Object(members) => {
            let plain = members.iter().filter(|(name, value)| !name.starts_with('$') && !value.is_null());
            plain.map(|(name, value)| (name.clone(), without_directives(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => {
            let kept = items.iter().filter(|item| item.get("$patch").is_none());
            kept.map(without_directives).collect()
        }
        other => other.clone(),
    }
}

fn merge_items(
    schema: Node<'_>,
    items: &mut Vec<Value>,
    patch: &[Value],
    strategy: &Strategy,
    order: Option<&[Value]>,
) {
    let before = items.clone();
    let key = strategy.merge.as_deref().unwrap_or_default();
    let says = |item: &Value| item.as_object().map(directive).unwrap_or_default().to_owned();
    if patch.iter().any(|item| says(item) == "replace" && item.get(key).is_none()) {
        items.clear();
    }
    for item in patch {
        let place = items.iter().position(|have| same(have, item, key));
        match (says(item).as_str(), place) {
            ("delete", Some(place)) => {
                items.remove(place);
            }
            ("delete", None) => {}
            ("replace", _) if item.get(key).is_none() => {}
            (_, Some(place)) => {
                if let (Some(Value::Object(have)), Value::Object(patch)) = (items.get_mut(place), item) {
                    merge_members(schema, have, patch);
                }
            }
            (_, None) => items.push(without_directives(item)),
        }
    }
    interleave(items, &before, order.unwrap_or(patch), key);
}

/// Whether two items are the same item; items of a list of texts are their own keys.
fn same(a: &Value, b: &Value, key: &str) -> bool {
    if key.is_empty() || !a.is_object() { a == b } else { a.get(key).is_some() && a.get(key) == b.get(key) }
}

fn place_of(list: &[Value], item: &Value, key: &str) -> Option<usize> {
    list.iter().position(|have| same(have, item, key))
}

fn sort(items: &mut Vec<Value>, order: &[Value], strategy: &Strategy) {
    let before = items.clone();
    interleave(items, &before, order, strategy.merge.as_deref().unwrap_or_default());
}

/// Puts the items that the client named into its order, and the others between them where they were before.
fn interleave(items: &mut Vec<Value>, before: &[Value], order: &[Value], key: &str) {
    let place = |item: &Value| place_of(order, item, key);
    let (mut named, others): (Vec<Value>, Vec<Value>) =
        items.drain(..).partition(|item| place(item).is_some());
    named.sort_by_key(&place);
    let mut named = named.into_iter().peekable();
    for other in others {
        let own = place_of(before, &other, key);
        while named.peek().is_some_and(|item| {
            let theirs = place_of(before, item, key);
            theirs.is_none() || own.is_none() || theirs < own
        }) {
            items.extend(named.next());
        }
        items.push(other);
    }
    items.extend(named);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::types::Shape;

    fn check(object: Value, patch: Value, expect: Value) {
        let shape = Shape::Type("PodSpec".to_owned());
        let patched = apply(Node::Table(&shape), &object, patch.to_string().as_bytes()).unwrap();
        assert_eq!(patched, expect, "{patch}");
    }

    #[test]
    fn lists_are_merged_by_their_keys() {
        let two = json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]});
        check(
            two.clone(),
            json!({"containers": [{"name": "b", "image": "3"}]}),
            json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "3"}]}),
        );
        check(
            two.clone(),
            json!({"containers": [{"name": "a", "$patch": "delete"}]}),
            json!({"containers": [{"name": "b", "image": "2"}]}),
        );
        check(
            two.clone(),
            json!({"$setElementOrder/containers": [{"name": "c"}, {"name": "b"}], "containers": [{"name": "c"}]}),
            json!({"containers": [{"name": "c"}, {"name": "a", "image": "1"}, {"name": "b", "image": "2"}]}),
        );
        check(
            two,
            json!({"containers": [{"$patch": "replace"}, {"name": "x"}]}),
            json!({"containers": [{"name": "x"}]}),
        );
        check(
            json!({"tolerations": [{"key": "a"}], "nodeSelector": {"a": "b"}}),
            json!({"tolerations": [{"key": "b"}], "nodeSelector": {"a": null, "c": "d"}}),
            json!({"tolerations": [{"key": "b"}], "nodeSelector": {"c": "d"}}),
        );
    }
}
