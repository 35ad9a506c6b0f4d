//! Paths, hosts and priorities against each other, and the order of turns.

use proptest::prelude::*;

use super::*;

/// Rules written as `priority methods hosts paths`, `-` for none, a comma between several.
fn rules(texts: &[&str]) -> Vec<Rule> {
    let list = |text: &str| -> Vec<String> {
        text.split(',').filter(|one| *one != "-").map(str::to_owned).collect()
    };
    let rule = |text: &&str| {
        let words: Vec<&str> = text.split(' ').collect();
        Rule {
            name: (*text).to_owned(),
            priority: words[0].parse().unwrap(),
            methods: list(words[1]),
            hosts: list(words[2]),
            paths: list(words[3]).into_iter().map(Path).collect(),
            backends: Vec::new(),
            measured_as: None,
        }
    };
    texts.iter().map(rule).collect()
}

/// The place of the rule that takes `GET host path`, with the path and the host that it is known by.
fn check(texts: &[&str], (host, path): (&str, &str), expect: Option<(usize, &str, &str)>) {
    let rules = rules(texts);
    let found = find(rules.iter(), host, path, "GET");
    let got = found.as_ref().map(|found| (found.place, found.path, found.host.as_str()));
    assert_eq!(got, expect, "{texts:?} {host}{path}");
}

#[test]
fn a_rule_takes_the_hosts_paths_and_methods_that_it_names() {
    check(&["0 - - /*"], ("a.b", "/x/y"), Some((0, "/*", "")));
    check(&["0 - a.b /*"], ("a.b", "/"), Some((0, "/*", "a.b")));
    check(&["0 - a.b,c.d /*"], ("c.d", "/"), Some((0, "/*", "c.d")));
    check(&["0 - a.b /*"], ("x.a.b", "/"), None);
    check(&["0 - *.a.b /*"], ("x.a.b", "/"), Some((0, "/*", "*.a.b")));
    check(&["0 - *.a.b /*"], ("a.b", "/"), None);
    check(&["0 - - /x"], ("a.b", "/x"), Some((0, "/x", "")));
    check(&["0 - - /x"], ("a.b", "/x/y"), None);
    check(&["0 - - /x*"], ("a.b", "/xy"), Some((0, "/x*", "")));
    check(&["0 - - /x/*"], ("a.b", "/x"), None);
    check(&["0 GET - /*"], ("a.b", "/"), Some((0, "/*", "")));
    check(&["0 POST,PUT - /*"], ("a.b", "/"), None);
}

#[test]
fn the_path_comes_first_and_then_the_priority() {
    check(&["0 - - /*", "10000 - - /*"], ("a.b", "/x"), Some((1, "/*", "")));
    check(&["10001 - - /*", "10000 - - /*"], ("a.b", "/x"), Some((0, "/*", "")));
    check(&["0 - - /x/*", "10000 - - /*"], ("a.b", "/x/y"), Some((0, "/x/*", "")));
    check(&["0 - - /x/*", "10000 - - /*"], ("a.b", "/y"), Some((1, "/*", "")));
    check(&["0 - - /x", "10000 - - /x*"], ("a.b", "/x"), Some((0, "/x", "")));
    check(&["9 - a.b /x", "1 - c.d /*"], ("c.d", "/x"), Some((1, "/*", "c.d")));
    check(&["9 POST - /x", "1 - - /*"], ("c.d", "/x"), Some((1, "/*", "")));
    check(&["0 - - /*,/x", "1 - - /*"], ("a.b", "/x"), Some((0, "/x", "")));
}

#[test]
fn turns_go_by_weight() {
    let check = |weights: &[u64], expect: &str| {
        let mut turns = Turns::new(weights.to_vec());
        let got: String = (0..expect.len()).map(|_| char::from(b'a' + turns.take().unwrap() as u8)).collect();
        assert_eq!(got, expect, "{weights:?}");
    };
    check(&[50, 50], "abababab");
    check(&[75, 25], "aaabaaab");
    check(&[25, 75], "bbabbbab");
    check(&[100, 0], "aaaaaaaa");
    check(&[0, 100], "bbbbbbbb");
    check(&[0, 0], "abababab");
    check(&[0], "aaaa");
    check(&[2, 1, 1], "aabcaabc");
    assert_eq!(Turns::new(Vec::new()).take(), None);
}

proptest! {
    #[test]
    fn in_one_cycle_each_backend_gets_exactly_its_weight(weights in prop::collection::vec(0_u64..=100, 1..5)) {
        let step = weights.iter().copied().fold(0, divisor);
        prop_assume!(step > 0 && weights.len() > 1);
        let mut turns = Turns::new(weights.clone());
        for _ in 0..3 {
            let mut counts = vec![0; weights.len()];
            for _ in 0..weights.iter().sum::<u64>() / step {
                counts[turns.take().unwrap()] += step;
            }
            prop_assert_eq!(&counts, &weights);
        }
    }
}
