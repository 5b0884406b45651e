//! Random bytes from the operating system, the only source of randomness for secrets.

/// Returns `N` unpredictable bytes.
///
/// # Panics
/// If the operating system has no random numbers to give: no secret may then be made.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(random::<32>(), random::<32>());
    }
}
