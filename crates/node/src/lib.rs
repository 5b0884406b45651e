//! The one place that owns tokio: drives the engine with source, store, net and the CPU pool.
