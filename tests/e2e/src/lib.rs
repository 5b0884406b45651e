//! Tests only; see the files beside.
