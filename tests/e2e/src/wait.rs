//! Waiting for facts.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until `probe` finds something, and gives it. Fails when that takes longer than
/// `within`, or as soon as a look fails.
pub fn eventually<T>(
    what: &str,
    within: Duration,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    // Nothing is ever sent: the channel is a clock that cannot be mistaken for an event.
    let (_never, clock) = sync_channel::<()>(1);
    loop {
        if let Some(found) = probe()? {
            return Ok(found);
        }
        if started.elapsed() >= within {
            bail!("{what}: not within {} s", within.as_secs());
        }
        match clock.recv_timeout(LOOK_EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => bail!("the clock of {what} broke"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_comes_is_a_failure_and_what_comes_is_given() {
        let never = eventually("nothing", Duration::from_millis(1), || Ok(None::<()>));
        assert!(never.is_err());
        let mut looks = 0;
        let third = eventually("the third look", Duration::from_secs(60), || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        });
        assert_eq!(third.ok(), Some(3));
    }
}
