//! A full disk, as the engine of a node sees it.

use bitdust_engine::trace::apply;
use bitdust_engine::{Engine, Input, Output};
use bitdust_model::intervals::DISK_RETRY;
use bitdust_model::{Policy, Tick};

#[test]
fn writes_that_wait_are_tried_together_until_none_waits() {
    let mut engine = Engine::new(Policy::default());
    let mut told = |input, at| apply(&mut engine, input, at).outputs;
    let retry = vec![Output::RetryWrites];
    for at in 1_000..1_003 {
        assert!(told(Input::DiskFull, Tick(at)).is_empty());
    }
    let mut due = Tick(1_000) + DISK_RETRY;
    for _ in 0..3 {
        let early = Tick(due.0 - 1);
        assert!(told(Input::Wake, early).is_empty(), "too early");
        assert_eq!(told(Input::Wake, due), retry);
        let later = due + DISK_RETRY;
        assert!(told(Input::Wake, later).is_empty(), "they are being tried");
        assert!(told(Input::WritesWait, later).is_empty());
        due = later + DISK_RETRY;
    }
    assert_eq!(told(Input::Wake, due), retry);
    assert!(told(Input::NoWriteWaits, due).is_empty());
    assert_eq!(engine.wake_at(), None, "nothing waits");
}
