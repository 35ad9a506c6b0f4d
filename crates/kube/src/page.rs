//! One page of a list, decoded straight into what is kept: a page of 500 whole objects as JSON trees costs 30 MB.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// One page of a list.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Page {
    /// The resourceVersion that the whole list shows.
    pub(crate) version: String,
    /// The token of the next page; empty on the last one.
    pub(crate) next: String,
    /// What is kept of each object.
    pub(crate) items: Vec<Value>,
}

/// Decodes a page; `keep` is applied to each object before the next one is read.
pub(crate) fn decode(body: &[u8], keep: &dyn Fn(Value) -> Value) -> serde_json::Result<Page> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let page = WholePage(keep).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(page)
}

struct WholePage<'a>(&'a dyn Fn(Value) -> Value);

struct Items<'a>(&'a dyn Fn(Value) -> Value);

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct ListMeta {
    resource_version: String,
    r#continue: String,
}

impl<'de> DeserializeSeed<'de> for WholePage<'_> {
    type Value = Page;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Page, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for WholePage<'_> {
    type Value = Page;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
        let mut page = Page::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "metadata" => {
                    let metadata: ListMeta = map.next_value()?;
                    page.version = metadata.resource_version;
                    page.next = metadata.r#continue;
                }
                "items" => page.items = map.next_value_seed(Items(self.0))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(page)
    }
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("objects")
    }

    /// Some servers written in Go send `null` for a list without items.
    fn visit_unit<E>(self) -> Result<Vec<Value>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Value>, A::Error> {
        let mut kept = Vec::new();
        while let Some(object) = items.next_element::<Value>()? {
            kept.push((self.0)(object));
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(body: &str, page: Option<Page>) {
        let name_only = |object: Value| object["metadata"]["name"].clone();
        assert_eq!(decode(body.as_bytes(), &name_only).ok(), page, "{body}");
    }

    #[test]
    fn keeps_what_the_projection_keeps() {
        let page = |items| Page { version: "7".into(), next: String::new(), items };
        check(
            r#"{"kind":"PodList","metadata":{"resourceVersion":"7","remainingItemCount":3},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}"#,
            Some(page(vec![json!("a"), json!("b")])),
        );
        check(r#"{"items":null,"metadata":{"resourceVersion":"7"}}"#, Some(page(vec![])));
        check(
            r#"{"metadata":{"resourceVersion":"7","continue":"t"},"items":[]}"#,
            Some(Page { next: "t".into(), ..page(vec![]) }),
        );
        check(r#"{"metadata":{"resourceVersion":"7"},"items":[{"#, None);
        check("<html>", None);
        check("[]", None);
    }
}
