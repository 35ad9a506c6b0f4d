//! Command-line flags in Go's spelling (`-flag=value`), which Flagger's manifests use.

/// `-mesh-provider` as `--mesh-provider`; everything else as it is.
pub fn double_dashed(arg: String) -> String {
    let long = arg.starts_with('-') && !arg.starts_with("--") && arg.len() > 2;
    if long { format!("-{arg}") } else { arg }
}

#[cfg(test)]
mod tests {
    use super::double_dashed;

    #[test]
    fn only_long_flags_with_one_dash_change() {
        for (given, expect) in [
            ("-port=8080", "--port=8080"),
            ("--port=8080", "--port=8080"),
            ("-h", "-h"),
            ("-", "-"),
            ("8080", "8080"),
        ] {
            assert_eq!(double_dashed(given.to_owned()), expect);
        }
    }
}
