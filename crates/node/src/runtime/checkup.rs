//! Looks through the catalogue at a start and every week, beside everything else, and tells the engine
//! once if it is damaged, whoever found that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bitdust_engine::Input;
use bitdust_model::Tick;
use bitdust_model::intervals::CATALOGUE_CHECKED_EVERY;
use tracing::{error, warn};

use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::task::blocking;

/// When the catalogue is looked through next, and what became of it.
#[derive(Debug)]
pub(super) struct Checkup {
    /// `None`: not by this node, unless a job begins.
    due_at: Option<Tick>,
    is_wanted: Arc<AtomicBool>,
    is_told: bool,
}

impl Checkup {
    /// A node that runs for one command has no time for it, unless that is a job.
    pub(super) fn new(stays: bool) -> Self {
        Self {
            due_at: stays.then_some(Tick(0)),
            is_wanted: Arc::new(AtomicBool::new(true)),
            is_told: false,
        }
    }

    /// A job began, which is to rely on the catalogue.
    pub(super) fn job_began(&mut self) {
        self.due_at.get_or_insert(Tick(0));
    }

    /// Begins to look when it is time.
    pub(super) fn begin(&mut self, context: &Context, driver: &mut Driver, now: Tick) {
        if self.is_told || self.due_at.is_none_or(|due_at| now < due_at) {
            return;
        }
        self.due_at = Some(now + CATALOGUE_CHECKED_EVERY);
        let (catalogue, is_wanted) = (context.catalogue.clone(), Arc::clone(&self.is_wanted));
        driver.answer_beside(async move {
            let looked = blocking(move || catalogue.check(|| is_wanted.load(Ordering::Relaxed)));
            // The catalogue remembers damage; whatever else came in between is looked for next time.
            if let Ok(Err(error)) = looked.await {
                warn!(%error, "The look through the catalogue failed");
            }
        });
    }

    /// Tells the engine of damage, once; says whether it did.
    pub(super) fn tell_damage(&mut self, context: &Context, driver: &mut Driver) -> bool {
        if self.is_told || !context.catalogue.is_damaged() {
            return false;
        }
        self.is_told = true;
        error!("The catalogue is damaged");
        driver.tell(Input::CatalogueDamaged);
        true
    }

    /// The look that is under way ends soon.
    pub(super) fn shut_down(&self) {
        self.is_wanted.store(false, Ordering::Relaxed);
    }
}
