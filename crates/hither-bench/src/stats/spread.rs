//! Medians and ratios of a few rounds.

/// The middle of a few measurements and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Smallest.
    pub min: f64,
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// Largest.
    pub max: f64,
}

impl Spread {
    /// The spread of `values`; `None` when there are none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            min: values.iter().copied().reduce(f64::min)?,
            median: median(values)?,
            max: values.iter().copied().reduce(f64::max)?,
        })
    }
}

/// The median; `None` when there are no values.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(sorted[middle - 1], upper)) }
}

/// The ratios of `ours` to `theirs`, round by round; rounds that one side lacks are left out.
///
/// Both were measured seconds apart on the same machine, so most of what the machine did to one it
/// did to the other, and the ratio stands where the figures themselves do not.
#[must_use]
pub fn ratios(ours: &[Option<f64>], theirs: &[Option<f64>]) -> Vec<f64> {
    let pairs = ours.iter().zip(theirs);
    pairs
        .filter_map(|(ours, theirs)| Some((*ours)? / (*theirs)?))
        .filter(|ratio| ratio.is_finite())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_odd_even_and_none() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(Spread::of(&[2.0, 9.0, 1.0]), Some(Spread { min: 1.0, median: 2.0, max: 9.0 }));
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // The second round ran on a busy machine: twice as slow for both.
        let ours = [Some(11.0), Some(22.0), None, Some(1.0)];
        let floor = [Some(10.0), Some(20.0), Some(10.0), Some(0.0)];
        assert_eq!(ratios(&ours, &floor), [1.1, 1.1]);
    }
}
