//! The contract with any front end: calls, view models, events, errors.
