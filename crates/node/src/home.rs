//! A home made, opened, joined or recovered; the host of a window; practice.

pub(crate) mod environment;
pub(crate) mod facade;
pub(crate) mod host;
pub(crate) mod node_client;
pub(crate) mod practice;
