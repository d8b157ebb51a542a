//! Columns of a listing.

/// Maximum width of a column. Longer entries shift their own line.
const WIDEST: usize = 120;

/// Returns the width of a column, in characters.
pub fn width<'a>(entries: impl Iterator<Item = &'a str>) -> usize {
    entries.map(|entry| entry.chars().count()).max().unwrap_or(0).min(WIDEST)
}

#[cfg(test)]
mod tests {
    use super::width;

    /// `format!` panics for widths of more than 16 bits.
    #[test]
    fn long_entries_can_be_written() {
        let long = "x".repeat(1 << 17);
        let width = width(["args[0]", &long].into_iter());
        assert_eq!(format!("{long:width$}"), long);
        assert_eq!(super::width(["a", "äö"].into_iter()), 2);
    }
}
