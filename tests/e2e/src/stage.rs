//! The usual stage: a customer and its suppliers, all friends, all running.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::machine::{Machine, Reply};
use crate::world::{Transport, World};

/// Bytes a supplier shares.
const OFFER: &str = "100GB";

/// A customer with its suppliers.
#[derive(Debug)]
pub struct Stage {
    /// Who keeps the data. One that was lost for good stays in the list.
    pub suppliers: Vec<Machine>,
    /// Whose data it is.
    pub customer: Machine,
}

impl Stage {
    /// Starts suppliers and makes the customer's identity; nobody is hired yet and the
    /// customer does not run. `settings` hold for all, such as `policy.*`.
    pub fn prepare(world: &World, suppliers: u8, settings: &[(&str, &str)]) -> Result<Self> {
        let mut stage = Self {
            suppliers: vec![],
            customer: world.machine("customer"),
        };
        for number in 1..=suppliers {
            let mut machine = world.machine(&format!("supplier-{number}"));
            machine.bootstrap = stage.addresses();
            machine.init()?;
            for (key, value) in settings {
                machine.set(key, value)?;
            }
            machine.start()?;
            machine.run(&["offer", OFFER])?;
            stage.suppliers.push(machine);
        }
        stage.customer.bootstrap = stage.addresses();
        stage.customer.init()?;
        stage.customer.set("suppliers", &suppliers.to_string())?;
        for (key, value) in settings {
            stage.customer.set(key, value)?;
        }
        Ok(stage)
    }

    /// The same, with the customer running and every supplier hired by an invitation.
    pub fn set_up(world: &World, suppliers: u8, code: Option<&str>) -> Result<Self> {
        let mut stage = Self::prepare(world, suppliers, &[])?;
        if let Some(code) = code {
            stage.customer.set("code", code)?;
        }
        stage.customer.start()?;
        stage.hire()?;
        Ok(stage)
    }

    /// From now on everybody listens at a port of its own, also after a restart, as suppliers behind
    /// such a port do; over one transport.
    pub fn keep_ports(&mut self, transport: Transport) -> Result<()> {
        for index in 0..self.suppliers.len() {
            self.suppliers[index].keep_port(transport)?;
            if index == 0 {
                // From the first all others start.
                let first = self.addresses();
                let others = self.suppliers.iter_mut().skip(1);
                for machine in others.chain([&mut self.customer]) {
                    machine.bootstrap.clone_from(&first);
                }
            }
        }
        // Then it knows where they are.
        self.customer.wait_until_connected(self.suppliers.len())?;
        self.customer.keep_port(transport)
    }

    /// Makes all suppliers friends of the running customer and waits until they agreed.
    pub fn hire(&self) -> Result<()> {
        for supplier in &self.suppliers {
            self.customer.befriend(supplier)?;
        }
        self.customer.wait_for_suppliers(self.suppliers.len())
    }

    /// Puts the folder under protection and backs it up; the backup has to be whole.
    pub fn back_up(&self, folder: &Path) -> Result<Reply> {
        self.customer
            .order(&["folder", "add", "--"])
            .argument(folder)
            .run()?;
        self.customer
            .order(&["backup"])
            .within(Duration::from_secs(400))
            .run()
    }

    /// Suppliers by their place in the set, by their number in the list.
    pub fn by_place(&self, status: &Value) -> Result<Vec<usize>> {
        let views = status["suppliers"]
            .as_array()
            .context("no suppliers in the status")?;
        let place = |machine: &Machine| {
            let view = views.iter().find(|view| view["device"] == *machine.device);
            view.and_then(|view| view["position"].as_u64())
                .unwrap_or(u64::MAX)
        };
        let mut order: Vec<usize> = (0..self.suppliers.len()).collect();
        order.sort_by_key(|index| place(&self.suppliers[*index]));
        Ok(order)
    }

    /// Kills the suppliers at the first places for good: they hold the plain halves, so that
    /// everything has to be decoded.
    pub fn lose_suppliers(&mut self, count: usize) -> Result<()> {
        let status = self.customer.wait_until_spread()?;
        for index in self.by_place(&status)?.into_iter().take(count) {
            self.suppliers[index].kill()?;
        }
        Ok(())
    }

    /// A bare new machine that knows the address of one living supplier.
    pub fn new_machine(&self, world: &World, name: &str) -> Result<Machine> {
        let mut machine = world.machine(name);
        let living = self.suppliers.iter().find(|supplier| supplier.is_started());
        machine.bootstrap = vec![living.context("no supplier lives")?.address()?];
        Ok(machine)
    }

    /// Fails if any daemon ended unasked.
    pub fn check_alive(&mut self) -> Result<()> {
        self.suppliers
            .iter_mut()
            .chain([&mut self.customer])
            .try_for_each(Machine::check_alive)
    }

    fn addresses(&self) -> Vec<String> {
        self.suppliers
            .first()
            .and_then(|first| first.addresses.first().cloned())
            .into_iter()
            .collect()
    }
}
