//! Backoff: the growing pauses between the attempts of a request or a write that fails.

/// Pauses that start at one length and double after each failure, up to another length.
///
/// ```
/// use vexil_object::Backoff;
///
/// let backoff = Backoff::new(1_000, 30_000);
/// assert_eq!((0..7).map(|failures| backoff.pause_ms(failures)).collect::<Vec<_>>(), [
///     1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
/// ]);
/// assert_eq!(backoff.total_ms(7), 91_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first_ms: u64,
    longest_ms: u64,
}

impl Backoff {
    /// Pauses from `first_ms` to `longest_ms`, in milliseconds.
    pub const fn new(first_ms: u64, longest_ms: u64) -> Self {
        Backoff { first_ms, longest_ms }
    }

    /// The pause after one more failure, in milliseconds, when there were `failures` in a row before it.
    pub fn pause_ms(self, failures: u32) -> u64 {
        let factor = 1_u64.checked_shl(failures).unwrap_or(u64::MAX);
        self.first_ms.saturating_mul(factor).min(self.longest_ms)
    }

    /// The sum of the first `pauses` pauses, in milliseconds.
    pub fn total_ms(self, pauses: u32) -> u64 {
        let growing = (0..pauses).take_while(|failures| self.pause_ms(*failures) < self.longest_ms);
        let (count, sum) = growing.fold((0, 0_u64), |(count, sum), failures| {
            (count + 1, sum.saturating_add(self.pause_ms(failures)))
        });
        sum.saturating_add(self.longest_ms.saturating_mul(u64::from(pauses - count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check((first_ms, longest_ms): (u64, u64), pauses: &[u64], total_ms: u64) {
        let backoff = Backoff::new(first_ms, longest_ms);
        let count = u32::try_from(pauses.len()).unwrap();
        assert_eq!((0..count).map(|failures| backoff.pause_ms(failures)).collect::<Vec<_>>(), pauses);
        assert_eq!(backoff.total_ms(count), total_ms);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        check((500, 30_000), &[500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000], 91_500);
        check((1_000, 300_000), &[1_000, 2_000], 3_000);
        check((1_000, 1_000), &[1_000, 1_000, 1_000], 3_000);
        check((1_000, 30_000), &[], 0);
    }

    #[test]
    fn any_number_of_failures_has_a_pause() {
        let backoff = Backoff::new(200, 10_000);
        assert_eq!([63, 64, u32::MAX].map(|failures| backoff.pause_ms(failures)), [10_000; 3]);
        assert_eq!(backoff.total_ms(u32::MAX), 12_600 + 10_000 * (u64::from(u32::MAX) - 6));
        assert_eq!(Backoff::new(1, u64::MAX).pause_ms(64), u64::MAX);
    }
}
