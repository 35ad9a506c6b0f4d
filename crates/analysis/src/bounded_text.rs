//! Texts of users and servers end up in messages: one length for all of them.

use crate::limits::MAX_TEXT_BYTES;

/// A text of at most [`MAX_TEXT_BYTES`] bytes. A longer one is cut between two characters and says how many bytes are
/// left out. The same again changes nothing.
#[must_use]
pub fn bounded(text: String) -> String {
    bounded_to(text, MAX_TEXT_BYTES)
}

/// A text of at most `limit` bytes, cut as [`bounded`] does. Below 64 bytes there may be no room to say how much is
/// left out; then it is only cut.
#[must_use]
pub fn bounded_to(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    // The longest that can be said of what is left out: the kept part shrinks by it, so the number only grows a little.
    let room = limit.saturating_sub(left_out(text.len()).len());
    let kept = text.floor_char_boundary(room);
    let mut cut = text;
    let rest = cut.len() - kept;
    cut.truncate(kept);
    let note = left_out(rest);
    if cut.len() + note.len() <= limit {
        cut.push_str(&note);
    }
    cut
}

/// FNV-1a with 32 bits, the same in every version: it is part of statuses and names. Compared with digests of texts
/// about the same Canary only.
pub fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn left_out(bytes: usize) -> String {
    format!("… ({bytes} bytes left out)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, limit: usize, expect: &str) {
        let got = bounded_to(text.to_owned(), limit);
        assert_eq!(got, expect);
        assert!(got.len() <= limit);
        assert_eq!(bounded_to(got.clone(), limit), got, "the same again changes nothing");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_what_is_missing() {
        check("", 1_024, "");
        check("short", 5, "short");
        check(&"x".repeat(1_024), 1_024, &"x".repeat(1_024));
        check(&"x".repeat(64), 40, &format!("{}… (47 bytes left out)", "x".repeat(17)));
        // Two bytes each: the odd byte goes with what is left out.
        check(&"é".repeat(32), 40, &format!("{}… (48 bytes left out)", "é".repeat(8)));
        check(&"🦀".repeat(16), 41, &format!("{}… (48 bytes left out)", "🦀".repeat(4)));
        check("xxxxxxxx", 3, "");
        check("é", 1, "");
    }

    #[test]
    fn a_reply_of_a_mebibyte_becomes_one_kibibyte() {
        for unit in ["x", "é", "漢", "🦀", "\u{301}"] {
            let text = unit.repeat((1 << 20) / unit.len());
            let (whole, cut) = (text.len(), bounded(text));
            assert!(cut.len() <= MAX_TEXT_BYTES && cut.len() > MAX_TEXT_BYTES - 8, "{}", cut.len());
            let kept = cut.find('…').unwrap();
            assert!(cut.ends_with(&format!("… ({} bytes left out)", whole - kept)), "{cut}");
        }
    }
}
