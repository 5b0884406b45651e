//! What people see: the local socket, the status, the history.

pub(crate) mod history;
pub(crate) mod local;
pub(crate) mod remembered;
pub(crate) mod status;
