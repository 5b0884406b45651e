//! Identity, phrase, key derivation and sealing; the only user of the cipher crates.
