//! Shards that arrive: one that comes anew takes the place of one that stands still.
//!
//! A device sends a shard on one stream at a time. Where the same comes on another one, the former
//! stream is of a process that has ended, or of a connection that is gone, and nobody has noticed yet:
//! over QUIC that takes ten seconds and more.

use std::collections::BTreeMap;

use bitdust_model::{DeviceId, ShardId};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// Those that are under way.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    by_shard: BTreeMap<(DeviceId, ShardId), Arrival>,
}

/// One of them, from outside.
#[derive(Debug)]
struct Arrival {
    /// Stops it by being dropped.
    _stop: oneshot::Sender<()>,
    is_over: oneshot::Receiver<()>,
}

impl Arrival {
    fn is_over(&mut self) -> bool {
        matches!(self.is_over.try_recv(), Err(TryRecvError::Closed))
    }
}

/// One of them, from inside.
#[derive(Debug)]
pub(super) struct Turn {
    former: Option<oneshot::Receiver<()>>,
    stopped: oneshot::Receiver<()>,
    /// Dropped when nothing of the shard is held any more.
    _over: oneshot::Sender<()>,
}

impl Arrivals {
    /// A device begins to send a shard. Stops the former try.
    pub(super) fn begin(&mut self, lane: DeviceId, shard: ShardId) -> Turn {
        self.by_shard.retain(|_, it| !it.is_over());
        let (stop, stopped) = oneshot::channel();
        let (over, is_over) = oneshot::channel();
        let former = self.by_shard.insert(
            (lane, shard),
            Arrival {
                _stop: stop,
                is_over,
            },
        );
        Turn {
            // Its way to stop is dropped with it, which stops it.
            former: former.map(|former| former.is_over),
            stopped,
            _over: over,
        }
    }

    /// A device asks to send a shard anew: the former try is stopped. Gives what ends when it lets go.
    pub(super) fn stop(&mut self, lane: DeviceId, shard: ShardId) -> Option<oneshot::Receiver<()>> {
        let mut former = self.by_shard.remove(&(lane, shard))?;
        // Its way to stop is dropped with it.
        (!former.is_over()).then_some(former.is_over)
    }
}

impl Turn {
    /// Waits until the former try holds nothing any more.
    pub(super) async fn come(&mut self) {
        if let Some(former) = &mut self.former {
            // Nothing is ever sent: it ends by being dropped.
            drop(former.await);
        }
        self.former = None;
    }

    /// Waits until a later try takes this one's place.
    pub(super) async fn stopped(&mut self) {
        drop((&mut self.stopped).await);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    const LANE: DeviceId = DeviceId([1; 32]);
    const SHARD: ShardId = ShardId([2; 32]);

    #[test]
    fn a_later_try_stops_the_former_and_waits_until_it_lets_go() {
        let mut arrivals = Arrivals::default();
        let mut first = arrivals.begin(LANE, SHARD);
        assert!(first.come().now_or_never().is_some(), "it is the first");
        assert!(first.stopped().now_or_never().is_none());
        let mut second = arrivals.begin(LANE, SHARD);
        assert!(first.stopped().now_or_never().is_some(), "it is stopped");
        assert!(second.come().now_or_never().is_none(), "it still writes");
        drop(first);
        assert!(second.come().now_or_never().is_some());
    }

    #[test]
    fn one_that_is_asked_for_anew_is_stopped_and_waited_for() {
        let mut arrivals = Arrivals::default();
        let mut first = arrivals.begin(LANE, SHARD);
        let mut over = arrivals.stop(LANE, SHARD).expect("it is under way");
        assert!(first.stopped().now_or_never().is_some(), "it is stopped");
        assert!((&mut over).now_or_never().is_none(), "it still writes");
        drop(first);
        assert!(over.now_or_never().is_some());
        assert!(arrivals.stop(LANE, SHARD).is_none(), "it is forgotten");
        drop(arrivals.begin(LANE, SHARD));
        assert!(arrivals.stop(LANE, SHARD).is_none(), "one that is over");
    }

    #[test]
    fn other_shards_and_other_devices_are_let_alone() {
        let mut arrivals = Arrivals::default();
        let mut one = arrivals.begin(LANE, SHARD);
        for (lane, shard) in [(LANE, ShardId([3; 32])), (DeviceId([4; 32]), SHARD)] {
            let mut other = arrivals.begin(lane, shard);
            assert!(other.come().now_or_never().is_some());
        }
        assert!(one.stopped().now_or_never().is_none());
        drop(one);
        drop(arrivals.begin(DeviceId([5; 32]), SHARD));
        assert_eq!(
            arrivals.by_shard.len(),
            1,
            "those that are over are forgotten"
        );
    }
}
