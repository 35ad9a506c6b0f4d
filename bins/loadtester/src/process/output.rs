//! The last part of a command's output, in bounded memory: errors are at its end.

use std::collections::VecDeque;

/// The last bytes of an output, and how many came before them.
#[derive(Clone, Debug)]
pub struct Tail {
    limit: usize,
    kept: VecDeque<u8>,
    left_out: u64,
}

impl Tail {
    /// Keeps at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Tail { limit, kept: VecDeque::new(), left_out: 0 }
    }

    /// Takes what came next.
    pub fn push(&mut self, chunk: &[u8]) {
        let fresh = chunk.get(chunk.len().saturating_sub(self.limit)..).unwrap_or_default();
        let old = (self.kept.len() + fresh.len()).saturating_sub(self.limit);
        self.kept.drain(..old);
        self.kept.extend(fresh);
        let dropped = old + (chunk.len() - fresh.len());
        self.left_out = self.left_out.saturating_add(u64::try_from(dropped).unwrap_or(u64::MAX));
    }

    /// As text: bytes that are no UTF-8 become the replacement character, and a first line tells of what is missing.
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = self.kept.iter().copied().collect();
        if self.left_out == 0 {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        // The cut may have gone through a character, of which at most three bytes are left.
        let torn = bytes.iter().take(3).take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count();
        let whole = bytes.get(torn..).unwrap_or_default();
        let left_out = self.left_out.saturating_add(u64::try_from(torn).unwrap_or(0));
        format!("[... {left_out} bytes left out ...]\n{}", String::from_utf8_lossy(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limit: usize, chunks: &[&str], expect: &str) {
        let mut tail = Tail::new(limit);
        chunks.iter().for_each(|chunk| tail.push(chunk.as_bytes()));
        assert_eq!(tail.text(), expect, "{limit} {chunks:?}");
        assert!(tail.kept.len() <= limit);
    }

    #[test]
    fn the_end_of_the_output_is_kept_and_the_rest_is_counted() {
        check(8, &[], "");
        check(8, &["abc", "def"], "abcdef");
        check(8, &["abcd", "efgh"], "abcdefgh");
        check(8, &["abcd", "efgh", "i"], "[... 1 bytes left out ...]\nbcdefghi");
        check(4, &["abcdefgh", "ij"], "[... 6 bytes left out ...]\nghij");
        check(4, &["ab", "cdefgh"], "[... 4 bytes left out ...]\nefgh");
        check(0, &["ab"], "[... 2 bytes left out ...]\n");
    }

    #[test]
    fn a_character_that_is_cut_through_is_left_out() {
        check(4, &["aä€"], "[... 3 bytes left out ...]\n€");
        check(3, &["€x"], "[... 3 bytes left out ...]\nx");
    }

    #[test]
    fn bytes_that_are_no_text_do_not_stop_the_rest() {
        let mut tail = Tail::new(8);
        tail.push(b"a\xffb");
        assert_eq!(tail.text(), "a\u{fffd}b");
    }
}
