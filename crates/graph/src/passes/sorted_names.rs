//! Look-up in sorted tables of operator names.

/// Returns true if a sorted table lists the name.
pub fn is_listed(sorted: &[&str], name: &str) -> bool {
    sorted.binary_search(&name).is_ok()
}
