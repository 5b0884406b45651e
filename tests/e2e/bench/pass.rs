//! Time that has to pass for a measure. Tests have no such thing: they wait for facts.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// Lets some time pass, for measures of what happens meanwhile; nothing is waited for.
pub(crate) fn let_pass(time: Duration) {
    let (_never, clock) = sync_channel::<()>(1);
    // It can only time out.
    let _timed_out = clock.recv_timeout(time);
}
