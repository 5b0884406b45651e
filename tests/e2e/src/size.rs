//! How much a test moves: as much as shows the law in `make test`, the full sizes in
//! `make test-long`.

/// The variable by which `make test-long` asks for full sizes.
const VARIABLE: &str = "BITDUST_TESTS";

/// Whether full sizes are asked for.
#[must_use]
pub fn is_full() -> bool {
    std::env::var(VARIABLE).is_ok_and(|sizes| sizes == "full")
}

/// The usual size, or the full one where full sizes are asked for.
#[must_use]
pub fn sized<T>(usual: T, full: T) -> T {
    if is_full() { full } else { usual }
}
