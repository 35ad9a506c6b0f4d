//! Which fields of a status are missing in the answer: a CRD that does not define them drops them silently.

use serde_json::Value;

/// JSON pointers of the fields of `sent` that `stored` lacks, outermost only. Values that merely differ are not
/// reported: defaulting and admission may change them. `null`, and an object of which nothing was stored because it
/// is empty, count as absent.
pub(crate) fn dropped(sent: &Value, stored: &Value) -> Vec<String> {
    let mut fields = Vec::new();
    compare(sent, stored, "", &mut fields);
    fields
}

fn compare(sent: &Value, stored: &Value, at: &str, fields: &mut Vec<String>) {
    match (sent, stored) {
        (Value::Object(sent), stored) => {
            for (name, value) in sent.iter().filter(|(_, value)| !value.is_null()) {
                let path = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                match stored.get(name) {
                    Some(stored) => compare(value, stored, &path, fields),
                    None => fields.push(path),
                }
            }
        }
        (Value::Array(sent), Value::Array(stored)) => {
            for (index, (sent, stored)) in sent.iter().zip(stored).enumerate() {
                compare(sent, stored, &format!("{at}/{index}"), fields);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(sent: Value, stored: Value, fields: &[&str]) {
        assert_eq!(dropped(&sent, &stored), fields, "sent {sent}, stored {stored}");
    }

    #[test]
    fn names_the_outermost_field_that_was_dropped() {
        check(json!({"phase": "Failed"}), json!({"phase": "Failed", "other": 1}), &[]);
        check(json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1}}), &["/a/c"]);
        check(json!({"a": {"b": 1}}), json!({}), &["/a"]);
        check(json!({"a": 1}), Value::Null, &["/a"]);
        check(json!({"l": [{"x": 1}, {"x": 2}]}), json!({"l": [{"x": 1}, {}]}), &["/l/1/x"]);
        check(json!({"m": {"a/b~c": 1}}), json!({"m": {}}), &["/m/a~1b~0c"]);
    }

    #[test]
    fn other_values_and_absent_nulls_are_no_loss() {
        check(json!({"a": 1, "n": null}), json!({"a": 2}), &[]);
        check(json!({}), Value::Null, &[]);
    }
}
