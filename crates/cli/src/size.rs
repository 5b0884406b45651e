//! Sizes as people write them: `10GB`, `500 MiB`, `1.5 TB`, `4096`.
//!
//! Invariant: no floating point, so that `0.1 GB` is exactly 100,000,000 bytes.

use bitdust_model::ByteCount;

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no size: write a number and a unit, for example 10GB, 1.5 TB or 500 MiB")]
pub(crate) struct SizeError {
    text: String,
}

/// Digits after the point that are looked at; more cannot matter below a petabyte.
const FRACTION_DIGITS_MAX: usize = 15;

/// Parses a size. Units are decimal (`kB`, `MB`, `GB`, `TB`, `PB`) or binary (`KiB` and so
/// on), in any case; a bare number counts bytes.
pub(crate) fn parse_size(text: &str) -> Result<ByteCount, SizeError> {
    let refused = || SizeError {
        text: text.to_owned(),
    };
    let trimmed = text.trim();
    let number_ends = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(number_ends);
    let unit_bytes = unit_bytes(unit.trim()).ok_or_else(refused)?;

    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_malformed =
        whole.is_empty() || fraction.contains('.') || fraction.len() > FRACTION_DIGITS_MAX;
    if is_malformed || (number.contains('.') && fraction.is_empty()) {
        return Err(refused());
    }
    let whole: u128 = whole.parse::<u64>().map_err(|_| refused())?.into();
    let part: u128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().map_err(|_| refused())?
    };
    let scale = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| refused())?);
    let bytes = whole * unit_bytes + part * unit_bytes / scale;
    let bytes = u64::try_from(bytes).map_err(|_| refused())?;
    Ok(ByteCount(bytes))
}

fn unit_bytes(unit: &str) -> Option<u128> {
    let bytes = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "p" | "pb" => 1_000_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        "pib" => 1 << 50,
        _ => return None,
    };
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let check =
            |text: &str, bytes: u64| assert_eq!(parse_size(text), Ok(ByteCount(bytes)), "{text}");
        check("0", 0);
        check("4096", 4096);
        check("10GB", 10_000_000_000);
        check("10 gb", 10_000_000_000);
        check(" 500 MiB ", 500 << 20);
        check("1.5TB", 1_500_000_000_000);
        check("0.1GB", 100_000_000);
        check("2G", 2_000_000_000);
        check("18446744073709551615", u64::MAX);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "GB",
            "-1GB",
            "1.GB",
            ".5GB",
            "1.2.3GB",
            "10XB",
            "1e9",
            "99999999999999999999",
            "20000 PB",
            "1 0GB",
            "１GB",
        ] {
            assert!(parse_size(text).is_err(), "{text:?} was taken");
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(text in "\\PC{0,40}") {
            if let Err(refusal) = parse_size(&text) {
                prop_assert!(refusal.to_string().contains("is no size"));
            }
        }

        #[test]
        fn whole_bytes_are_read_back(bytes in any::<u64>()) {
            prop_assert_eq!(parse_size(&format!("{bytes} B")), Ok(ByteCount(bytes)));
        }
    }
}
