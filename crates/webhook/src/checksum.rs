//! The checksum by which a hook knows the revision that it is called for.

use std::{collections::BTreeMap, fmt::Write};

use vexil_analysis::digest;

/// The `checksum` of a payload: a digest of the status fields `trackedConfigs` and `lastAppliedSpec`. It is equal to
/// Flagger's, byte for byte, because gates compare it with values that they stored.
pub fn checksum(tracked_configs: Option<&BTreeMap<String, String>>, last_applied_spec: &str) -> String {
    let configs = match tracked_configs {
        None => "<nil>".to_owned(),
        Some(map) => {
            let pairs: Vec<_> = map.iter().map(|(key, value)| format!("{key}:{value}")).collect();
            format!("map[{}]", pairs.join(" "))
        }
    };
    let mut text = String::from("(struct { TrackedConfigs *map[string]string; LastAppliedSpec string })");
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{{TrackedConfigs:(*map[string]string){configs} LastAppliedSpec:(string){last_applied_spec}}}"
    );
    spell(digest(&text))
}

/// The decimal digits in an alphabet without vowels, as Kubernetes spells digests so that they form no words.
fn spell(hash: u32) -> String {
    const ALPHABET: &str = "456789bcdf";
    let digit = |d: u32| ALPHABET.chars().nth(d as usize);
    hash.to_string().chars().filter_map(|c| c.to_digit(10).and_then(digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(configs: Option<&[(&str, &str)]>, spec: &str, expect: &str) {
        let configs: Option<BTreeMap<_, _>> =
            configs.map(|c| c.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        assert_eq!(checksum(configs.as_ref(), spec), expect);
    }

    #[test]
    fn checksums_are_those_of_flagger() {
        check(None, "abc", "5594979469");
        check(Some(&[]), "", "68bf6f479b");
        check(Some(&[("configmap/a", "1"), ("secret/b", "2")]), "abc", "648fd94d");
        check(Some(&[("test-config-map", "484637c76acaa7c6")]), "4cb74184589", "569bdb7cb9");
    }

    #[test]
    fn digests_are_spelled_as_in_kubernetes() {
        for (text, expect) in [
            ("(string)podinfo-00001", "5498f4fcd6"),
            ("(string)podinfo-00002", "547d5765b7"),
            ("(string)latest-revision", "5584967d84"),
            ("(string)", "8857b86c7"),
        ] {
            assert_eq!(spell(digest(text)), expect, "{text}");
        }
    }
}
