//! Bytes to shards and back; pure and synchronous.
