//! Identifiers that look random and are the same in every run.

/// The letters of generated names, as `k8s.io/apimachinery/pkg/util/rand` has them: no vowels, no look-alikes.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A deterministic source of identifiers (SplitMix64).
#[derive(Debug)]
pub(crate) struct Ids(u64);

impl Ids {
    /// A source that yields the same identifiers for the same seed.
    pub fn new(seed: u64) -> Self {
        Ids(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A version 4 UUID.
    pub fn uid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            8 + (b >> 62),
            (b >> 48) & 0xfff,
            b & 0xffff_ffff_ffff
        )
    }

    /// The five letters that `generateName` appends.
    pub fn suffix(&mut self) -> String {
        let mut bits = self.next();
        let mut suffix = String::new();
        for _ in 0..5 {
            let index = usize::try_from(bits % LETTERS.len() as u64).unwrap_or_default();
            suffix.push(LETTERS.get(index).copied().unwrap_or(b'b').into());
            bits /= LETTERS.len() as u64;
        }
        suffix
    }
}
