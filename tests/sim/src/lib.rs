//! The stage on which the stories play: one customer, some suppliers, all friends.
//!
//! Tests only; the stories lie in `tests`.

use std::time::Duration;

use bitdust_engine::JobId;
use bitdust_sim::{Failure, NodeId, World, WorldOptions};

/// Long enough for any job of these worlds.
pub const LIMIT: Duration = Duration::from_secs(6 * 3600);
/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// Chunks of the user's folder.
pub const CHUNKS: u64 = 30;

/// A customer with its suppliers.
#[derive(Debug)]
pub struct Stage {
    /// The world.
    pub world: World,
    /// Whose data it is.
    pub customer: NodeId,
    /// Who keeps it.
    pub suppliers: Vec<NodeId>,
}

impl Stage {
    /// A customer and so many suppliers, all started, all friends.
    #[must_use]
    pub fn new(seed: u64, suppliers: usize) -> Self {
        Self::with_options(
            WorldOptions {
                seed,
                loss_percent: 0,
            },
            suppliers,
        )
    }

    /// The same in a world that loses answers.
    #[must_use]
    pub fn with_options(options: WorldOptions, suppliers: usize) -> Self {
        let mut world = World::new(options);
        let customer = world.add_node();
        let suppliers: Vec<_> = (0..suppliers).map(|_| world.add_node()).collect();
        world.set_contract_bytes(customer, 10_000);
        world.set_folder(customer, 0..CHUNKS);
        for supplier in &suppliers {
            world.start(*supplier);
            world.offer(*supplier, 50_000);
        }
        world.start(customer);
        for supplier in &suppliers {
            world.befriend(customer, *supplier);
        }
        let wanted = u8::try_from(suppliers.len()).expect("a set has at most 30 positions");
        world.want_suppliers(customer, wanted);
        Self {
            world,
            customer,
            suppliers,
        }
    }

    /// Backs up and waits for the end.
    pub fn back_up(&mut self) -> Result<(), Failure> {
        let job = self.world.back_up(self.customer);
        self.world.finish(self.customer, job, LIMIT)
    }

    /// Begins a backup beside two suppliers that are cut off, and has the customer crash after so
    /// many inputs, with nothing in the spool; then these are there again.
    pub fn crash_while_two_are_away(&mut self, inputs: u64) -> Result<(), Failure> {
        let customer = self.customer;
        self.world
            .run_until("a set", LIMIT, |world| !world.holders(customer).is_empty())?;
        self.world.back_up(customer);
        self.world.run_for(Duration::from_millis(100))?;
        let away: Vec<_> = self.suppliers.iter().skip(4).copied().collect();
        for supplier in &away {
            self.world.cut(customer, *supplier);
        }
        self.world.set_spool_full(customer, true);
        self.world.crash_after(customer, inputs);
        self.world.run_for(Duration::from_secs(1))?;
        self.world.stop(customer);
        self.world.forget_crash(customer);
        self.world.set_spool_full(customer, false);
        for supplier in away {
            self.world.heal(customer, supplier);
        }
        Ok(())
    }

    /// Waits until nothing waits in the spool.
    pub fn settle(&mut self) -> Result<(), Failure> {
        let customer = self.customer;
        self.world.run_until("the spool is empty", LIMIT, |world| {
            world.is_spool_empty(customer)
        })
    }

    /// Restores at `node`; it must bring everything that was published.
    pub fn restore_at(&mut self, node: NodeId) -> Result<(), Failure> {
        self.restore_what_is_there_at(node)?;
        let (snapshot, had) = self.world.reference(self.customer);
        self.world
            .expect(had == snapshot, || "enough shards of everything".to_owned())
    }

    /// Restores at `node`; it must bring every chunk of which k honest suppliers that are
    /// up have shards.
    pub fn restore_what_is_there_at(&mut self, node: NodeId) -> Result<(), Failure> {
        let job = self.world.restore(node);
        self.world.finish(node, job, LIMIT)?;
        let restored = self.world.restored(node, job);
        let (snapshot, had) = self.world.reference(self.customer);
        let missing = had.difference(&restored).count();
        self.world
            .expect(missing == 0, || format!("{missing} chunks that are there"))?;
        let foreign = restored.difference(&snapshot).count();
        self.world
            .expect(foreign == 0, || format!("{foreign} chunks less"))?;
        self.world.check_replay()
    }

    /// Restores at the customer.
    pub fn restore(&mut self) -> Result<(), Failure> {
        self.restore_at(self.customer)
    }

    /// A bare new machine of the same person recovers; gives it and the job back.
    pub fn begin_recovery(&mut self) -> (NodeId, JobId) {
        let node = self.world.add_kin(self.customer);
        self.world.start(node);
        let job = self.world.recover(node);
        (node, job)
    }
}
