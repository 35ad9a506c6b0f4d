//! Sums and means that do not lose small terms beside large ones.

/// A compensated sum (Neumaier's variant of Kahan's algorithm, which Prometheus 3 uses as well).
#[derive(Clone, Copy, Default)]
pub(super) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> f64 {
        let sum = values.into_iter().fold(Self::default(), Self::plus);
        sum.total + sum.lost
    }

    fn plus(self, term: f64) -> Self {
        let total = self.total + term;
        let lost = if total.is_infinite() {
            0.0
        } else if self.total.abs() >= term.abs() {
            self.lost + ((self.total - total) + term)
        } else {
            self.lost + ((term - total) + self.total)
        };
        Self { total, lost }
    }
}

/// The arithmetic mean; NaN of nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let sum = Sum::of(values.iter().copied());
    if sum.is_finite() || values.iter().any(|value| !value.is_finite()) {
        return sum / count;
    }
    // The sum is too large for a float, its mean is not.
    Sum::of(values.iter().map(|value| value / count))
}

/// The population variance (Welford's algorithm).
pub(super) fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares, mut count) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let delta = value - mean;
        mean += delta / count;
        squares += delta * (value - mean);
    }
    squares / count
}
